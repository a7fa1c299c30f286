//! The program's allocator: the usual one, but for work that may be given up, whose blocks follow one another in a stretch of their
//! own. Work can be interrupted between any two instructions, and the usual allocator could not be used again after that.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Cut, NO_HUGE_PAGES, RESERVE_ONLY, give_up};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// Work is under way: from here on blocks are made in the stretch. Only ever true in a process of one thread.
static ACTIVE: AtomicBool = AtomicBool::new(false);

/// Where the stretch begins and ends, and where its next block goes.
static START: AtomicUsize = AtomicUsize::new(0);
static END: AtomicUsize = AtomicUsize::new(0);
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Blocks of this size are used again: a parser that has failed with one reading gives back its trees before the next.
const LARGE: usize = 32 << 10;

/// Large blocks that nobody uses, each by its start and its size; those that find no room here are forgotten until [`clear`].
static SPARE: [(AtomicUsize, AtomicUsize); 32] = [const { (AtomicUsize::new(0), AtomicUsize::new(0)) }; 32];

struct Allocator;

pub(super) fn reserve(bytes: usize) -> io::Result<()> {
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANON | RESERVE_ONLY);
    // SAFETY: a new mapping at a place of the system's choice.
    let start = unsafe { libc::mmap(ptr::null_mut(), bytes, access, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the mapping is new, and the advice changes nothing that can be read.
    unsafe { libc::madvise(start, bytes, NO_HUGE_PAGES) };
    let start = start as usize;
    START.store(start, Ordering::Relaxed);
    NEXT.store(start, Ordering::Relaxed);
    END.store(start + bytes, Ordering::Relaxed);
    Ok(())
}

pub(super) fn is_active() -> bool {
    ACTIVE.load(Ordering::Relaxed)
}

/// To be called on the work's own stack, like [`leave`]: the timer takes it for the sign that it may look in.
pub(super) fn enter() {
    ACTIVE.store(true, Ordering::SeqCst);
}

pub(super) fn leave() {
    ACTIVE.store(false, Ordering::SeqCst);
}

pub(super) fn enter_for<T>(work: impl FnOnce() -> T) -> T {
    enter();
    let value = work();
    leave();
    value
}

/// Forgets all blocks, and gives the system back what lies beyond the first bytes.
pub(super) fn clear(keep: usize) {
    let (start, end) = (START.load(Ordering::Relaxed), END.load(Ordering::Relaxed));
    let used = NEXT.swap(start, Ordering::Relaxed) - start;
    for (_, size) in &SPARE {
        size.store(0, Ordering::Relaxed);
    }
    if cfg!(debug_assertions) {
        // Whoever has kept a block shall notice.
        // SAFETY: the stretch is ours, and no block in it is in use.
        unsafe { ptr::write_bytes(start as *mut u8, 0xdd, used.min(keep)) };
    }
    // Nearly all texts stay within what is kept: for them the system is not asked at all.
    if used > keep {
        // SAFETY: as above. What is given back reads as zeros when it is used again.
        unsafe { libc::madvise((start + keep) as *mut libc::c_void, end - start - keep, libc::MADV_DONTNEED) };
    }
}

fn holds(block: *mut u8) -> bool {
    let address = block as usize;
    START.load(Ordering::Relaxed) <= address && address < END.load(Ordering::Relaxed)
}

fn spare(block: *mut u8, size: usize) {
    if let Some((start, room)) = SPARE.iter().min_by_key(|(_, room)| room.load(Ordering::Relaxed))
        && size >= LARGE.max(room.load(Ordering::Relaxed))
    {
        start.store(block as usize, Ordering::Relaxed);
        room.store(size, Ordering::Relaxed);
    }
}

/// The begin of a large block that nobody uses, if there is one. The rest of it is still to be had.
fn reuse(layout: Layout) -> Option<*mut u8> {
    if layout.size() < LARGE {
        return None;
    }
    SPARE.iter().find_map(|(start, room)| {
        let (begin, size) = (start.load(Ordering::Relaxed), room.load(Ordering::Relaxed));
        let at = begin.next_multiple_of(layout.align());
        let taken = at - begin + layout.size();
        (taken <= size).then(|| {
            start.store(begin + taken, Ordering::Relaxed);
            room.store(size - taken, Ordering::Relaxed);
            at as *mut u8
        })
    })
}

fn place(layout: Layout) -> *mut u8 {
    if let Some(block) = reuse(layout) {
        return block;
    }
    let at = NEXT.load(Ordering::Relaxed).next_multiple_of(layout.align());
    match at.checked_add(layout.size()).filter(|next| *next <= END.load(Ordering::Relaxed)) {
        Some(next) => {
            NEXT.store(next, Ordering::Relaxed);
            at as *mut u8
        }
        None => give_up(Cut::TooLarge),
    }
}

/// Grows or shrinks a block where it is, if it is the last.
fn resize(block: *mut u8, old: usize, new: usize) -> bool {
    let (at, next) = (block as usize, NEXT.load(Ordering::Relaxed));
    let fits = at + old == next && at.checked_add(new).is_some_and(|next| next <= END.load(Ordering::Relaxed));
    if fits {
        NEXT.store(at + new, Ordering::Relaxed);
    }
    fits
}

// SAFETY: blocks of the stretch are within it, aligned, and apart from each other until `clear`, before which their owners are gone;
// all others come from the system's allocator and go back to it.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_active() {
            return place(layout);
        }
        // SAFETY: as our caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_active() {
            let block = place(layout);
            // SAFETY: a new block of this size.
            unsafe { ptr::write_bytes(block, 0, layout.size()) };
            return block;
        }
        // SAFETY: as our caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if holds(block) {
            if !resize(block, layout.size(), 0) && is_active() {
                spare(block, layout.size());
            }
        } else if !is_active() {
            // SAFETY: as our caller's: the block is one of the system's.
            unsafe { System.dealloc(block, layout) };
        }
        // Work that drops what it was given leaks it: the system's allocator must not be entered, because work may end at any time.
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (is_ours, is_active) = (holds(block), is_active());
        if !is_ours && !is_active {
            // SAFETY: as our caller's: the block is one of the system's.
            return unsafe { System.realloc(block, layout, size) };
        }
        if is_ours && is_active && resize(block, layout.size(), size) {
            return block;
        }
        // SAFETY: the caller promises that the size is possible for this alignment; both blocks live, and are two.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}
