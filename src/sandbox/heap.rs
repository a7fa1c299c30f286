//! The allocator under the engine: it counts, and it is where the heap limit is.
//!
//! The engine has a limit of its own, but it neither tells what the heap holds without walking all of it nor whether the limit
//! was what made an allocation fail, and a script can throw an error that looks like it. This one knows both. It also lets the
//! host have a little more room than the script, so that a full heap can still be interrupted and reported.
//!
//! The one place outside `worker/` that names the engine's crate: the trait is unsafe, and unsafe code lives here.

use std::cell::Cell;
use std::rc::Rc;

use rquickjs::allocator::Allocator;

/// What the host may use above the script's limit: for the interrupt's own error object, for showing values, for reporting.
const HOST_ROOM_BYTES: usize = 1 << 20;

/// What is known about one engine's heap. Shared between the allocator and the worker.
#[derive(Debug, Default)]
pub struct HeapGauge {
    used: Cell<usize>,
    limit: Cell<usize>,
    host_room: Cell<bool>,
    refused: Cell<bool>,
}

impl HeapGauge {
    pub fn with_limit(limit: usize) -> Rc<HeapGauge> {
        Rc::new(HeapGauge { limit: Cell::new(limit), ..HeapGauge::default() })
    }

    /// Bytes that the engine holds, as the C library counts them.
    pub fn used(&self) -> usize {
        self.used.get()
    }

    /// Whether the limit has refused an allocation since the last call.
    pub fn take_refused(&self) -> bool {
        self.refused.replace(false)
    }

    /// Whether an allocation of so many bytes would be granted. Where not, it counts as refused.
    pub fn has_room_for(&self, bytes: usize) -> bool {
        self.fits(bytes, 0)
    }

    /// Opens or closes the room that only the host may use.
    pub fn set_host_room(&self, open: bool) {
        self.host_room.set(open);
    }

    /// Whether `more` bytes fit beside what is used without `less`.
    fn fits(&self, more: usize, less: usize) -> bool {
        let limit = self.limit.get() + if self.host_room.get() { HOST_ROOM_BYTES } else { 0 };
        let fits = (self.used.get() - less).checked_add(more).is_some_and(|sum| sum <= limit);
        if !fits {
            self.refused.set(true);
        }
        fits
    }
}

/// The C library's allocator with a limit and a count.
pub struct LimitedHeap(Rc<HeapGauge>);

impl LimitedHeap {
    pub fn new(gauge: Rc<HeapGauge>) -> LimitedHeap {
        LimitedHeap(gauge)
    }

    fn count(&self, block: *mut u8) -> *mut u8 {
        if !block.is_null() {
            self.0.used.set(self.0.used.get() + usable(block));
        }
        block
    }
}

fn usable(block: *mut u8) -> usize {
    // SAFETY: every caller passes a live block of this allocator, so of the C library's `malloc`.
    unsafe { libc::malloc_usable_size(block.cast()) }
}

// SAFETY: blocks come from the C library's malloc family, which fulfils the trait's demands on size and alignment, and null is
// returned where an allocation is refused.
unsafe impl Allocator for LimitedHeap {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        if !self.0.fits(size, 0) {
            return std::ptr::null_mut();
        }
        // SAFETY: `malloc` has no preconditions.
        self.count(unsafe { libc::malloc(size) }.cast())
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        if !count.checked_mul(size).is_some_and(|bytes| self.0.fits(bytes, 0)) {
            return std::ptr::null_mut();
        }
        // SAFETY: `calloc` has no preconditions.
        self.count(unsafe { libc::calloc(count, size) }.cast())
    }

    unsafe fn dealloc(&mut self, block: *mut u8) {
        self.0.used.set(self.0.used.get() - usable(block));
        // SAFETY: the caller hands back a live block of this allocator.
        unsafe { libc::free(block.cast()) };
    }

    unsafe fn realloc(&mut self, block: *mut u8, new_size: usize) -> *mut u8 {
        let old = if block.is_null() { 0 } else { usable(block) };
        if !self.0.fits(new_size, old) {
            return std::ptr::null_mut();
        }
        // SAFETY: the block is null or a live block of this allocator; on failure it stays as it was, and so does the count.
        let moved: *mut u8 = unsafe { libc::realloc(block.cast(), new_size) }.cast();
        if !moved.is_null() {
            self.0.used.set(self.0.used.get() - old + usable(moved));
        }
        moved
    }

    unsafe fn usable_size(block: *mut u8) -> usize {
        usable(block)
    }
}
