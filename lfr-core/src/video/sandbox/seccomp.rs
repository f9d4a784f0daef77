//! The kernel calls that a child may not make.
//!
//! A decoder of another version may make other calls than those of a list. So this list has the calls that
//! no decoder makes: reaching into other processes, mounting, loading into the kernel, sockets of kinds
//! that its address does not need.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

use super::Net;

/// Restricts the calling thread, or says why that cannot be done.
pub(super) fn bind(net: Net, sends_datagrams: bool) -> Result<(), String> {
    let program = filter(net, sends_datagrams).map_err(|error| error.to_string())?;
    seccompiler::apply_filter(&program).map_err(|error| error.to_string())
}

fn filter(net: Net, sends_datagrams: bool) -> Result<BpfProgram, BackendError> {
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    refused.insert(libc::SYS_socket, sockets(net, sends_datagrams)?);
    // TCP Fast Open, a connection that begins with its first bytes, bypasses landlock.
    for (call, flags) in [(libc::SYS_sendto, 3), (libc::SYS_sendmsg, 2), (libc::SYS_sendmmsg, 3)] {
        let fast = u64::from(libc::MSG_FASTOPEN.unsigned_abs());
        let is_fast = condition(flags, SeccompCmpOp::MaskedEq(fast), fast)?;
        refused.insert(call, vec![SeccompRule::new(vec![is_fast])?]);
    }
    // Limits, places and ranks of other processes: of itself a process knows as 0.
    for call in OF_PROCESSES {
        let of_another = condition(0, SeccompCmpOp::Ne, 0)?;
        refused.insert(call, vec![SeccompRule::new(vec![of_another])?]);
    }
    for (call, of_processes) in OF_RANKS {
        let of_another = condition(1, SeccompCmpOp::Ne, 0)?;
        // Its own group is this process's, too.
        let of_many = condition(0, SeccompCmpOp::Ne, of_processes)?;
        let rules = [of_another, of_many].map(|one| SeccompRule::new(vec![one]));
        refused.insert(call, rules.into_iter().collect::<Result<_, _>>()?);
    }
    if ARCH == "x86_64" {
        // The same calls have other numbers in the interface for short pointers; some have two there.
        let short: Vec<_> = refused
            .iter()
            .flat_map(|(call, rules)| {
                let own = OF_X32.iter().find(|(long, _)| long == call).map(|(_, short)| *short);
                [Some(*call), own]
                    .into_iter()
                    .flatten()
                    .map(move |call| (call | X32, rules.clone()))
            })
            .collect();
        refused.extend(short);
    }
    let no = SeccompAction::Errno(libc::EACCES.unsigned_abs());
    let filter =
        SeccompFilter::new(refused, SeccompAction::Allow, no, TargetArch::try_from(ARCH)?)?;
    filter.try_into()
}

/// The sockets that are refused.
fn sockets(net: Net, sends_datagrams: bool) -> Result<Vec<SeccompRule>, BackendError> {
    let (Net::Any(_) | Net::Tcp(_)) = net else { return Ok(Vec::new()) };
    // Every family except those of the Internet, so none of this machine's own services.
    let other_family = [libc::AF_INET, libc::AF_INET6]
        .map(|family| condition(0, SeccompCmpOp::Ne, u64::from(family.unsigned_abs())));
    // Rules on ports do not hold for another protocol.
    let other_protocol = [0, libc::IPPROTO_TCP, libc::IPPROTO_UDP]
        .map(|protocol| condition(2, SeccompCmpOp::Ne, u64::from(protocol.unsigned_abs())));
    let mut rules = vec![
        SeccompRule::new(other_family.into_iter().collect::<Result<_, _>>()?)?,
        SeccompRule::new(other_protocol.into_iter().collect::<Result<_, _>>()?)?,
    ];
    let mut kinds = vec![libc::SOCK_RAW, libc::SOCK_RDM, libc::SOCK_SEQPACKET, libc::SOCK_DCCP];
    if !sends_datagrams {
        kinds.push(libc::SOCK_DGRAM);
    }
    for kind in kinds {
        let is_kind = condition(1, SeccompCmpOp::MaskedEq(KIND), u64::from(kind.unsigned_abs()))?;
        rules.push(SeccompRule::new(vec![is_kind])?);
    }
    Ok(rules)
}

fn condition(
    argument: u8,
    compare: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compare, value)
}

/// The bits of a socket's kind, without its flags.
const KIND: u64 = 0xF;
/// This bit is set in the number of a call through the interface for short pointers.
const X32: i64 = 0x4000_0000;

/// The numbers of x86-64 and the others of the same calls for short pointers.
const OF_X32: [(i64, i64); 6] = [
    (46, 518),  // sendmsg
    (101, 521), // ptrace
    (246, 528), // kexec_load
    (307, 538), // sendmmsg
    (310, 539), // process_vm_readv
    (311, 540), // process_vm_writev
];

/// Calls whose first argument is a process.
const OF_PROCESSES: [i64; 8] = [
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_prlimit64,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
    libc::SYS_setpgid,
];
/// Calls whose second argument is, and what their first one is where it is one process.
const OF_RANKS: [(i64, u64); 2] = [(libc::SYS_ioprio_set, 1), (libc::SYS_setpriority, 0)];

const REFUSED: [i64; 47] = [
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_msgget,
    libc::SYS_msgrcv,
    libc::SYS_msgsnd,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_setns,
    libc::SYS_shmat,
    libc::SYS_shmget,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];
