//! What the machine has, where the configuration leaves it to the machine.

use std::fs;
use std::path::Path;

/// Where nothing can be learnt of the machine: what the smallest that one would rent has.
const UNKNOWN_BYTES: u64 = 1 << 30;

/// Half of the memory that this process and its children may have: the rest is for the server and its neighbours, and is above what the
/// workers may exceed their part by.
pub(super) fn half_of_memory() -> u64 {
    memory(Path::new("/")) / 2
}

/// The smaller of the machine's memory and the limits of the control groups that this process is in.
fn memory(root: &Path) -> u64 {
    machine(root).into_iter().chain(groups(root)).min().unwrap_or(UNKNOWN_BYTES)
}

fn machine(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The limits of all control groups above this process, of either version. A group without a limit says `max`, or a number beyond
/// every machine.
fn groups(root: &Path) -> Vec<u64> {
    let text = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let mut limits = Vec::new();
    for line in text.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (mount, file) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max"),
            list if list.split(',').any(|name| name == "memory") => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        for group in Path::new(path.trim_start_matches('/')).ancestors() {
            let limit = fs::read_to_string(root.join(mount).join(group).join(file));
            limits.extend(limit.ok().and_then(|text| text.trim().parse::<u64>().ok()));
        }
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The memory of a machine with these files.
    #[track_caller]
    fn check(files: &[(&str, &str)], expected: u64) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(memory(root.path()), expected);
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:       16384 kB\nMemFree:        1 kB\n");

    #[test]
    fn the_smaller_of_the_machine_and_every_group_counts() {
        check(&[], UNKNOWN_BYTES);
        check(&[MEMINFO], 16 << 20);
        let group = ("proc/self/cgroup", "0::/a/b\n");
        let (outer, inner) = ("sys/fs/cgroup/a/memory.max", "sys/fs/cgroup/a/b/memory.max");
        check(&[MEMINFO, group, (outer, "max\n"), (inner, "4194304\n")], 4 << 20);
        check(&[MEMINFO, group, (outer, "2097152\n"), (inner, "4194304\n")], 2 << 20);
        check(&[MEMINFO, group, (outer, "max\n"), (inner, "max\n")], 16 << 20);
        check(&[MEMINFO, group, (inner, "999999999999\n")], 16 << 20);
    }

    #[test]
    fn groups_of_the_first_version_and_of_containers_count_too() {
        let group = ("proc/self/cgroup", "5:cpu,memory:/docker/x\n0::/\n");
        check(&[MEMINFO, group, ("sys/fs/cgroup/memory/memory.limit_in_bytes", "3145728\n")], 3 << 20);
        check(
            &[MEMINFO, group, ("sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "9223372036854771712\n")],
            16 << 20,
        );
        check(&[MEMINFO, ("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "1048576\n")], 1 << 20);
    }
}
