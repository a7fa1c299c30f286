//! The signals of work that may be given up: the fault at the end of its stack, and the timer's.

use std::cell::Cell;
use std::io;
use std::ptr;
use std::time::Duration;

use corosensei::trap::{CoroutineTrapHandler, TrapHandlerRegs};

use super::{Ask, Cut, End, Words, heap};

/// The stack on which a fault is handled: the other one has none left.
pub(super) const STACK_BYTES: usize = 64 << 10;

/// Processor time between two looks. The kernel counts it by its own tick, which is of the same order.
const TICK: Duration = Duration::from_millis(4);

/// A fault with the stack pointer this far from the end of the stack is an overflow. The kernel needs some room too, to write down
/// what a signal has interrupted.
const NEAR_END: usize = 64 << 10;

thread_local! {
    static WORDS: Cell<*const Words> = const { Cell::new(ptr::null()) };
    static TRAP: Cell<Option<CoroutineTrapHandler<End>>> = const { Cell::new(None) };
}

pub(super) fn install() -> io::Result<()> {
    let stack = vec![0_u8; STACK_BYTES].leak();
    let stack = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: STACK_BYTES };
    // SAFETY: the stack is leaked, so it is there as long as the process.
    if unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // Not on that stack, because the work goes on from this handler; and not blocked in it, because it may never go on.
    let on_tick: extern "C" fn(libc::c_int) = on_tick;
    catch(libc::SIGPROF, on_tick as usize, libc::SA_NODEFER | libc::SA_RESTART)?;
    let on_fault: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_fault;
    catch(libc::SIGSEGV, on_fault as usize, libc::SA_SIGINFO | libc::SA_ONSTACK)?;
    catch(libc::SIGBUS, on_fault as usize, libc::SA_SIGINFO | libc::SA_ONSTACK)
}

fn catch(signal: libc::c_int, handler: usize, flags: libc::c_int) -> io::Result<()> {
    // SAFETY: an all-zero action is a valid one; the handlers have the form that their flags ask for.
    let result = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        libc::sigaction(signal, &raw const action, ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The timer runs, and overflows are caught, for as long as this lives.
pub(super) struct Watch;

pub(super) fn watch(trap: CoroutineTrapHandler<End>) -> Watch {
    TRAP.set(Some(trap));
    set_timer(TICK);
    Watch
}

impl Drop for Watch {
    fn drop(&mut self) {
        set_timer(Duration::ZERO);
        TRAP.set(None);
        WORDS.set(ptr::null());
    }
}

fn set_timer(every: Duration) {
    let every = libc::timeval { tv_sec: 0, tv_usec: libc::suseconds_t::from(every.subsec_micros() as i32) };
    let value = libc::itimerval { it_interval: every, it_value: every };
    // SAFETY: `value` is a valid itimerval that outlives the call, and a null old value is allowed.
    unsafe { libc::setitimer(libc::ITIMER_PROF, &value, ptr::null_mut()) };
}

pub(super) fn set_words(words: &Words) {
    WORDS.set(words);
}

/// Speaks to whoever waits for the work. Only to be called on the work's stack, with its heap left.
pub(super) fn say(ask: Ask) {
    // SAFETY: set at the begin of the work, and it lives as long as that.
    unsafe { (*WORDS.get()).suspend(ask) };
}

fn is_on_works_stack(address: usize) -> bool {
    TRAP.get().is_some_and(|trap| trap.stack_ptr_in_bounds(address))
}

extern "C" fn on_tick(_: libc::c_int) {
    let here = 0_u8;
    // Only in the midst of plain work: between the stacks, and outside of it, there is nothing to look into.
    if heap::is_active() && is_on_works_stack(&raw const here as usize) {
        heap::leave();
        say(Ask::Look);
        heap::enter();
    }
}

extern "C" fn on_fault(signal: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes what the flags of the handler ask for, and nobody else refers to it.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    let pointer = stack_pointer(context);
    let is_overflow = |trap: &CoroutineTrapHandler<End>| {
        heap::is_active() && trap.stack_ptr_in_bounds(pointer) && !trap.stack_ptr_in_bounds(pointer - NEAR_END)
    };
    match TRAP.get().filter(is_overflow) {
        Some(trap) => {
            heap::leave();
            // SAFETY: the stack pointer is within the work's stack, and the work has written to nothing outside; its registers are
            // set next.
            let registers = unsafe { trap.setup_trap_handler(|| Err(Cut::TooDeep)) };
            set_registers(context, &registers);
        }
        // Any other fault is one. The same instruction faults again, this time with the signal blocked, and the kernel ends the
        // process by it.
        // SAFETY: the set is the context's own.
        None => unsafe {
            libc::sigaddset(&raw mut context.uc_sigmask, signal);
        },
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn stack_pointer(context: &libc::ucontext_t) -> usize {
    context.uc_mcontext.gregs[libc::REG_RSP as usize].cast_unsigned() as usize
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn set_registers(context: &mut libc::ucontext_t, registers: &TrapHandlerRegs) {
    let TrapHandlerRegs { rip, rsp, rbp, rdi, rsi } = *registers;
    let (at, values) = (&mut context.uc_mcontext.gregs, [rip, rsp, rbp, rdi, rsi]);
    let names = [libc::REG_RIP, libc::REG_RSP, libc::REG_RBP, libc::REG_RDI, libc::REG_RSI];
    for (name, value) in names.into_iter().zip(values) {
        at[name as usize] = value.cast_signed();
    }
}

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
fn stack_pointer(context: &libc::ucontext_t) -> usize {
    context.uc_mcontext.sp as usize
}

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
fn set_registers(context: &mut libc::ucontext_t, registers: &TrapHandlerRegs) {
    let TrapHandlerRegs { pc, sp, x0, x1, x29, lr } = *registers;
    let to = &mut context.uc_mcontext;
    (to.pc, to.sp) = (pc, sp);
    (to.regs[0], to.regs[1], to.regs[29], to.regs[30]) = (x0, x1, x29, lr);
}

/// Elsewhere the names of the registers are not known here: an overflow ends the process, as it does in the engine.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn stack_pointer(_: &libc::ucontext_t) -> usize {
    usize::MAX
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn set_registers(_: &mut libc::ucontext_t, _: &TrapHandlerRegs) {}
