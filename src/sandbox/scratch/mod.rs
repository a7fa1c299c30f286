//! Work that can be thrown away: on a stack and a heap of its own, which are given up whole when it goes too far.
//!
//! Parsers descend once for each level of nesting, try one reading of a text after another, and ask nobody whether they should
//! stop. No look at a text tells beforehand how deep or how long they will go. So they run here: the stack ends in a guard page,
//! the heap is a stretch of memory in which allocations follow one another, and a timer looks in every few milliseconds. Where the
//! work reaches an end of these, the thread goes back to its own stack and the work is never gone on with. None of its destructors
//! run, and nothing is lost by that: everything that it has made lies in the two stretches, which the next work begins afresh.
//!
//! What the work must keep to: it writes to nothing outside but by [`outside`], and it leaves nothing on the usual heap. Rust's
//! lifetimes see to most of that.

mod heap;
mod signals;

use std::cell::Cell;
use std::io;

use corosensei::stack::{DefaultStack, Stack};
use corosensei::{CoroutineResult, ScopedCoroutine, Yielder};

/// The stack. Reserved, and only taken from the system as far as some work has descended. Enough for more than ten thousand levels
/// of whatever nests, which nobody writes; little enough that a program made for the purpose cannot fill the machine with it.
pub const STACK_BYTES: usize = 64 << 20;

/// Bytes of heap for each byte of a text, and beside that. A parser's trees, tables and output take a tenth of it for ordinary
/// programs and most of it for the densest; what tries readings without end uses it up.
const HEAP_PER_TEXT_BYTE: usize = 384;
const LEAST_HEAP_BYTES: usize = 16 << 20;

/// Parts of the stack and of the heap that stay with the process between two works. Most need no more.
const KEPT_STACK_BYTES: usize = 256 << 10;
const KEPT_HEAP_BYTES: usize = 1 << 20;

/// Why some work was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It has come to the end of the stack.
    TooDeep,
    /// It has come to the end of the heap.
    TooLarge,
    /// It was asked to.
    Stopped,
}

/// What the work wants of the thread's own stack.
enum Ask {
    /// The timer's turn to look in.
    Look,
    GiveUp(Cut),
    Call(*mut dyn FnMut()),
}

type Words = Yielder<(), Ask>;
type End = Result<(), Cut>;

thread_local! {
    static SCRATCH: Cell<Option<DefaultStack>> = const { Cell::new(None) };
}

/// Address space for work on texts of so many bytes.
pub fn reserved_bytes(text_bytes: u64) -> u64 {
    (STACK_BYTES + heap_bytes(text_bytes) + signals::STACK_BYTES) as u64
}

fn heap_bytes(text_bytes: u64) -> usize {
    usize::try_from(text_bytes)
        .unwrap_or(usize::MAX)
        .saturating_mul(HEAP_PER_TEXT_BYTE)
        .saturating_add(LEAST_HEAP_BYTES)
}

/// Reserves a stack and a heap for the calling thread, which must be the only one, and catches the signals that come with them. Before
/// the box is closed, because inside no signal can be caught any more.
///
/// # Errors
/// When the system has no address space left.
pub fn install(text_bytes: u64) -> io::Result<()> {
    let stack = DefaultStack::new(STACK_BYTES)?;
    // A huge page at a time would take much more from the system than is used.
    let (bottom, top) = bounds(&stack);
    // SAFETY: the stretch is the stack's own, and the advice changes nothing that can be read.
    unsafe { libc::madvise(bottom as *mut libc::c_void, top - bottom, NO_HUGE_PAGES) };
    heap::reserve(heap_bytes(text_bytes))?;
    signals::install()?;
    SCRATCH.set(Some(stack));
    Ok(())
}

#[cfg(target_os = "linux")]
const NO_HUGE_PAGES: libc::c_int = libc::MADV_NOHUGEPAGE;
#[cfg(not(target_os = "linux"))]
const NO_HUGE_PAGES: libc::c_int = libc::MADV_NORMAL;

#[cfg(target_os = "linux")]
const RESERVE_ONLY: libc::c_int = libc::MAP_NORESERVE;
#[cfg(not(target_os = "linux"))]
const RESERVE_ONLY: libc::c_int = 0;

/// A stack from its lowest address to its highest, with the page at its end that cannot be touched.
fn bounds(stack: &impl Stack) -> (usize, usize) {
    (stack.limit().get(), stack.base().get())
}

/// Does some work that can be given up, and returns a copy of what it comes to, on the usual heap. A copy must be a deep one: no `Rc`
/// may be in it. While it lasts, `must_stop` is asked every few milliseconds of it.
///
/// In a thread that has not called [`install`] it is plainly called. What it holds by value is leaked when it is given up.
///
/// # Errors
/// Why it was given up.
pub fn run<T: Clone>(must_stop: &mut dyn FnMut() -> bool, work: impl FnOnce() -> T) -> Result<T, Cut> {
    let Some(mut stack) = SCRATCH.take() else { return Ok(work()) };
    let mut slot = None;
    let end = descend(&mut stack, must_stop, || slot = Some(heap::enter_for(work)));
    // The copy is made on the usual heap, and the original ends with the scratch one.
    let copy = slot.clone();
    drop(slot);
    heap::clear(KEPT_HEAP_BYTES);
    let (bottom, top) = bounds(&stack);
    // SAFETY: nothing lives on this stack any more, so nobody misses what its lower part has held.
    unsafe { libc::madvise(bottom as *mut libc::c_void, top - bottom - KEPT_STACK_BYTES, libc::MADV_DONTNEED) };
    SCRATCH.set(Some(stack));
    end.map(|()| copy.expect("work that has ended has come to something"))
}

/// Calls a function on a stack of its own.
fn descend(stack: &mut DefaultStack, must_stop: &mut dyn FnMut() -> bool, call: impl FnOnce()) -> End {
    let body = |words: &Words, ()| {
        signals::set_words(words);
        call();
        Ok(())
    };
    ScopedCoroutine::<(), Ask, End, _>::with_stack(stack, body).scope(|mut coroutine| {
        let _ticks = signals::watch(coroutine.trap_handler());
        loop {
            let cut = match coroutine.resume(()) {
                CoroutineResult::Return(end) => return end,
                CoroutineResult::Yield(Ask::GiveUp(cut)) => cut,
                CoroutineResult::Yield(Ask::Look) if must_stop() => Cut::Stopped,
                CoroutineResult::Yield(Ask::Look) => continue,
                CoroutineResult::Yield(Ask::Call(call)) => {
                    // SAFETY: `outside` waits for this call, and what it points to lives there.
                    unsafe { (*call)() };
                    continue;
                }
            };
            // SAFETY: what lies on the stack is in nobody's hands: the work has lent nothing to others, and its heap goes with it.
            unsafe { coroutine.force_reset() };
            return Err(cut);
        }
    })
}

/// Leaves the work for a call that it must not make itself: one that needs the thread's own stack, or allocates what stays.
pub fn outside<R>(call: impl FnOnce() -> R) -> R {
    if !heap::is_active() {
        return call();
    }
    let mut call = Some(call);
    let mut result = None;
    let mut once = || result = call.take().map(|call| call());
    let job: &mut dyn FnMut() = &mut once;
    // SAFETY: the lifetime is only hidden: `job` is called while this function waits, or never.
    let job: *mut dyn FnMut() = unsafe { std::mem::transmute::<&mut dyn FnMut(), &'static mut dyn FnMut()>(job) };
    heap::leave();
    signals::say(Ask::Call(job));
    heap::enter();
    result.expect("whoever goes on here has made the call")
}

/// Gives up the work that is under way.
fn give_up(cut: Cut) -> ! {
    heap::leave();
    loop {
        signals::say(Ask::GiveUp(cut));
    }
}
