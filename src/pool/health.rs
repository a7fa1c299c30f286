//! Is a worker fit for a session? What it says of itself, and what is seen from outside.

use crate::ipc::Health;

use super::slot::RetireReason;

/// What the kernel says about a worker's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// Bytes of memory that are really there.
    pub resident_bytes: u64,
    pub threads: u64,
}

/// How much larger than the first fresh heap a fresh heap may be: a quarter, and [`HEAP_SLACK_BYTES`]. Fresh heaps are alike but
/// for the sizes of hash tables and the atoms of the probe.
const HEAP_SLACK_DIVISOR: u64 = 4;

/// See [`HEAP_SLACK_DIVISOR`].
const HEAP_SLACK_BYTES: u64 = 16 << 10;

/// What a recycled process may hold above what it held when it was new. The allocator keeps some of a large run's memory;
/// more than this in each of hundreds of workers is worth the 2 ms of a new process.
const RESIDENT_SLACK_BYTES: u64 = 16 << 20;

/// What is remembered of a worker to judge it by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vitals {
    pub(super) pid: u32,
    /// Leases it has had.
    pub(super) leases: u32,
    open_files: u32,
    resident_bytes: Option<u64>,
}

impl Vitals {
    /// Judges a new worker. `baseline_heap_bytes` is the first fresh heap ever seen from this binary, `None` for the first one.
    pub(super) fn first(
        pid: u32,
        health: &Health,
        footprint: Option<Footprint>,
        baseline_heap_bytes: Option<u64>,
    ) -> Result<Self, RetireReason> {
        check(health, footprint, baseline_heap_bytes.unwrap_or(health.heap_bytes))?;
        Ok(Self {
            pid,
            leases: 0,
            open_files: health.open_files,
            resident_bytes: footprint.map(|footprint| footprint.resident_bytes),
        })
    }

    /// Judges a used worker.
    pub(super) fn still_fit(
        &self,
        health: &Health,
        footprint: Option<Footprint>,
        baseline_heap_bytes: Option<u64>,
    ) -> Result<(), RetireReason> {
        check(health, footprint, baseline_heap_bytes.unwrap_or(health.heap_bytes))?;
        if health.open_files != self.open_files {
            return Err(RetireReason::OpenFiles);
        }
        match (footprint, self.resident_bytes) {
            (Some(now), Some(first)) if now.resident_bytes > first.saturating_add(RESIDENT_SLACK_BYTES) => {
                Err(RetireReason::Bloated)
            }
            _ => Ok(()),
        }
    }
}

fn check(health: &Health, footprint: Option<Footprint>, baseline_heap_bytes: u64) -> Result<(), RetireReason> {
    let &Health { heap_bytes, interrupt_polls, open_files: _, leftovers } = health;
    let most = baseline_heap_bytes + baseline_heap_bytes / HEAP_SLACK_DIVISOR + HEAP_SLACK_BYTES;
    if interrupt_polls == 0 {
        Err(RetireReason::InterruptDead)
    } else if leftovers > 0 {
        Err(RetireReason::Leftovers)
    } else if heap_bytes > most {
        Err(RetireReason::HeapGrown)
    } else if footprint.is_some_and(|footprint| footprint.threads != 1) {
        Err(RetireReason::Threads)
    } else {
        Ok(())
    }
}

/// Reads a process's memory and number of threads. `None` when it is gone, or `/proc` is not to be had.
pub(super) fn footprint(pid: u32) -> Option<Footprint> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&stat, rustix::param::page_size() as u64)
}

/// Reads what of a process's memory is its own alone. `None` when it is gone, or `/proc` is not to be had.
pub(super) fn unshared_bytes(pid: u32) -> Option<u64> {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    parse_statm(&statm, rustix::param::page_size() as u64)
}

/// Fields 2 (resident) and 3 (shared) of proc_pid_statm(5), in pages.
fn parse_statm(statm: &str, page_bytes: u64) -> Option<u64> {
    let mut fields = statm.split_ascii_whitespace().skip(1);
    let resident: u64 = fields.next()?.parse().ok()?;
    let shared: u64 = fields.next()?.parse().ok()?;
    resident.saturating_sub(shared).checked_mul(page_bytes)
}

/// Fields 20 (threads) and 24 (resident pages) of proc_pid_stat(5). The second field is the program's name in parentheses and may
/// itself hold spaces and parentheses, so counting starts behind the last one.
fn parse_stat(stat: &str, page_bytes: u64) -> Option<Footprint> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(17);
    let threads = fields.next()?.parse().ok()?;
    let pages: u64 = fields.nth(3)?.parse().ok()?;
    Some(Footprint { resident_bytes: pages.checked_mul(page_bytes)?, threads })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIT: Health = Health { heap_bytes: 100_000, interrupt_polls: 3, open_files: 3, leftovers: 0 };
    const SMALL: Option<Footprint> = Some(Footprint { resident_bytes: 3 << 20, threads: 1 });

    #[track_caller]
    fn check(health: Health, footprint: Option<Footprint>, expected: Result<(), RetireReason>) {
        let vitals = Vitals::first(1, &FIT, SMALL, None).unwrap();
        assert_eq!(vitals.still_fit(&health, footprint, Some(FIT.heap_bytes)), expected);
    }

    #[test]
    fn every_way_of_being_unfit_has_its_reason() {
        check(FIT, SMALL, Ok(()));
        check(FIT, None, Ok(()));
        check(Health { heap_bytes: 141_384, ..FIT }, SMALL, Ok(()));
        check(Health { heap_bytes: 141_385, ..FIT }, SMALL, Err(RetireReason::HeapGrown));
        check(Health { heap_bytes: u64::MAX, ..FIT }, SMALL, Err(RetireReason::HeapGrown));
        check(Health { interrupt_polls: 0, ..FIT }, SMALL, Err(RetireReason::InterruptDead));
        check(Health { leftovers: 1, ..FIT }, SMALL, Err(RetireReason::Leftovers));
        check(Health { open_files: 4, ..FIT }, SMALL, Err(RetireReason::OpenFiles));
        check(FIT, Some(Footprint { resident_bytes: 3 << 20, threads: 2 }), Err(RetireReason::Threads));
        check(FIT, Some(Footprint { resident_bytes: 19 << 20, threads: 1 }), Ok(()));
        check(FIT, Some(Footprint { resident_bytes: (19 << 20) + 1, threads: 1 }), Err(RetireReason::Bloated));
    }

    #[test]
    fn a_programs_name_cannot_shift_the_fields() {
        let stat = "12 (a) b) S 1 12 12 0 -1 4194304 100 0 0 0 1 2 0 0 20 0 7 0 100 9999 42 184 1 1";
        assert_eq!(parse_stat(stat, 4096), Some(Footprint { resident_bytes: 42 * 4096, threads: 7 }));
        assert_eq!(parse_stat("12 (a) S", 4096), None);
    }

    #[test]
    fn shared_pages_are_nobodys() {
        assert_eq!(parse_statm("1000 300 120 5 0 400 0", 4096), Some(180 * 4096));
        assert_eq!(parse_statm("1000", 4096), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn our_own_footprint_can_be_read() {
        let own = footprint(std::process::id()).unwrap();
        assert!(own.threads >= 1 && own.resident_bytes > 100_000, "{own:?}");
        let unshared = unshared_bytes(std::process::id()).unwrap();
        assert!(unshared > 100_000 && unshared < own.resident_bytes, "{unshared} of {own:?}");
    }
}
