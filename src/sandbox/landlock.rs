//! Landlock: the kernel refuses files, TCP, and what reaches other processes, whichever system call asks for it.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetError, RulesetStatus, Scope,
};

use crate::sandbox::Status;

/// Everything up to this version of the kernel interface is denied where the kernel knows it.
const NEWEST: ABI = ABI::V9;

/// What each version of the interface added that matters here. A kernel below the version leaves it to the other layers.
const GAPS: [(ABI, &str); 5] = [
    (ABI::V2, "links and renames"),
    (ABI::V3, "truncation"),
    (ABI::V4, "TCP"),
    (ABI::V5, "device control"),
    (ABI::V6, "signals and abstract sockets"),
];

/// Denies everything that Landlock can deny: all rights are handled, and there is no rule that grants one.
pub(super) fn apply() -> Status {
    match restrict() {
        Ok(status) => judge(&status),
        Err(error) => Status::failed("restrict with landlock", error),
    }
}

fn restrict() -> Result<RestrictionStatus, RulesetError> {
    Ruleset::default()
        // What the kernel does not know is left out of the request; `judge` says what that was.
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .restrict_self()
}

fn judge(status: &RestrictionStatus) -> Status {
    let effective = match status.landlock {
        LandlockStatus::NotEnabled => return Status::Missing("the kernel has Landlock switched off".to_owned()),
        LandlockStatus::NotImplemented => return Status::Missing("the kernel has no Landlock".to_owned()),
        LandlockStatus::Available { effective_abi, .. } => effective_abi,
    };
    if status.ruleset == RulesetStatus::NotEnforced || !status.no_new_privs {
        return Status::Missing("the kernel did not enforce the ruleset".to_owned());
    }
    let gaps: Vec<&str> = GAPS.iter().filter(|(since, _)| effective < *since).map(|(_, gap)| *gap).collect();
    if gaps.is_empty() {
        Status::Enforced
    } else {
        Status::Partly(format!("the kernel's version {effective} leaves out {}", gaps.join(", ")))
    }
}
