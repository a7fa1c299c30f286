//! What a process asks of itself: the server at its start, a worker once it is in the box.

use std::os::fd::BorrowedFd;

/// The descriptors looked at by [`open_files`]; more than a worker may ever have.
const FILES_TO_COUNT: i32 = 64;

/// Ends the process at once: no destructors, because the engine may be in the middle of anything, and no exit handlers.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions and does not return.
    unsafe { libc::_exit(code) }
}

/// How many of the lower file descriptors are open.
pub fn open_files() -> u32 {
    let is_open = |fd: &i32| {
        // SAFETY: the descriptor is only asked about, by F_GETFD, which is well defined for a closed one too (EBADF).
        let fd = unsafe { BorrowedFd::borrow_raw(*fd) };
        rustix::io::fcntl_getfd(fd).is_ok()
    };
    u32::try_from((0..FILES_TO_COUNT).filter(is_open).count()).expect("at most FILES_TO_COUNT")
}

/// Blocks from this size on are given back to the system as soon as they are freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OWN_PAGES_BYTES: i32 = 128 << 10;

/// Keeps large blocks out of the heap, where the C library can. By itself it takes them there once the first was freed: a server
/// whose clients send large messages would keep the memory of all of them, in pieces that nothing fits into.
pub fn give_back_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` has no preconditions for this option.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_PAGES_BYTES)
    };
}

/// The part of the stack below the caller that stays: what the next calls need at once.
const KEPT_STACK_BYTES: usize = 64 << 10;

/// Gives the pages of the thread's stack back that a deep recursion has left behind. Only for a process's first thread, whose stack has
/// nothing but itself below it.
pub fn return_stack() {
    let here = 0_u8;
    let page = rustix::param::page_size();
    let top = (&raw const here as usize).saturating_sub(KEPT_STACK_BYTES) / page * page;
    let bytes = super::rlimits::STACK_BYTES as usize;
    // SAFETY: below the stack pointer, and what the call itself takes there, lies nothing that anybody uses; pages that were never
    // taken are passed over.
    unsafe { libc::madvise(top.saturating_sub(bytes) as *mut libc::c_void, bytes, libc::MADV_DONTNEED) };
}

/// Gives freed heap pages back to the system, where the C library can.
pub fn return_free_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` has no preconditions.
    unsafe {
        libc::malloc_trim(0)
    };
}
