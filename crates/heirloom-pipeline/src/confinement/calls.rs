//! Which system calls a confined process may make: a list of those that decoders need. Whatever is not
//! on it fails as if the kernel did not have it, which libraries know how to live with: `clone3` makes
//! way for `clone`, whose flags can be looked at.
//!
//! Not on it, and so impossible: sockets, new processes, signals to others, tracing, rights and times
//! of files, deleting and renaming, mounts, namespaces, `io_uring`, files without a name.

use std::{collections::BTreeMap, ffi::CStr};

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Width, SeccompCmpOp as Is, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

/// What beside the usual a process has to do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Use<'a> {
    /// To become a program: the path that it starts, which has to lie where it lies now.
    Program(&'a CStr),
    /// To take jobs from a socket and to answer there.
    Hand,
    /// Neither.
    Nothing,
}

/// Gives up all other system calls, for good. False where the kernel has no such filters.
pub(super) fn give_up(what: Use<'_>) -> Result<bool, seccompiler::Error> {
    let program = compile(what)?;
    match seccompiler::apply_filter(&program) {
        Ok(()) => Ok(true),
        Err(seccompiler::Error::Prctl(error) | seccompiler::Error::Seccomp(error))
            if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS)) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn compile(what: Use<'_>) -> Result<BpfProgram, seccompiler::BackendError> {
    let own_id = u64::from(std::process::id());
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in ANY {
        rules.insert(*call, Vec::new());
    }
    #[cfg(target_arch = "x86_64")]
    for call in OLD {
        rules.insert(*call, Vec::new());
    }
    let mut only = |call: c_long, choices: Vec<Vec<SeccompCondition>>| {
        let choices: Result<Vec<_>, _> = choices.into_iter().map(SeccompRule::new).collect();
        choices.map(|choices| rules.insert(call, choices))
    };
    only(libc::SYS_openat, vec![vec![masked(2, UNNAMED_FILE, 0)?]])?;
    #[cfg(target_arch = "x86_64")]
    only(libc::SYS_open, vec![vec![masked(1, UNNAMED_FILE, 0)?]])?;
    // Threads of this process, and nothing that would be seen as another one.
    only(
        libc::SYS_clone,
        vec![vec![masked(0, THREAD | NAMESPACES, THREAD)?]],
    )?;
    // To end itself.
    only(libc::SYS_kill, vec![vec![equal(0, own_id)?]])?;
    only(libc::SYS_tgkill, vec![vec![equal(0, own_id)?]])?;
    // To ask what its limits are.
    only(
        libc::SYS_prlimit64,
        vec![
            vec![equal(0, 0)?, wide(2, 0)?],
            vec![equal(0, own_id)?, wide(2, 0)?],
        ],
    )?;
    only(libc::SYS_fcntl, each(1, FCNTL)?)?;
    only(libc::SYS_ioctl, each(1, IOCTL)?)?;
    only(libc::SYS_prctl, each(0, PRCTL)?)?;
    match what {
        // After the one start nobody knows the address, and nothing there can be started.
        Use::Program(path) => {
            only(
                libc::SYS_execve,
                vec![vec![wide(0, path.as_ptr().addr() as u64)?]],
            )?;
        }
        Use::Hand => {
            only(libc::SYS_recvmsg, Vec::new())?;
            only(libc::SYS_recvfrom, Vec::new())?;
            // To no address: only through the socket that is there.
            only(libc::SYS_sendto, vec![vec![wide(4, 0)?]])?;
        }
        Use::Nothing => {}
    }
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Errno(libc::ENOSYS.cast_unsigned()),
        SeccompAction::Allow,
        TargetArch::try_from(std::env::consts::ARCH)?,
    )?;
    filter.try_into()
}

type Condition = Result<SeccompCondition, seccompiler::BackendError>;

fn equal(argument: u8, value: u64) -> Condition {
    SeccompCondition::new(argument, Width::Dword, Is::Eq, value)
}

fn wide(argument: u8, value: u64) -> Condition {
    SeccompCondition::new(argument, Width::Qword, Is::Eq, value)
}

fn masked(argument: u8, mask: u64, value: u64) -> Condition {
    SeccompCondition::new(argument, Width::Dword, Is::MaskedEq(mask), value)
}

fn each(
    argument: u8,
    values: &[u64],
) -> Result<Vec<Vec<SeccompCondition>>, seccompiler::BackendError> {
    let conditions = values
        .iter()
        .map(|value| Ok(vec![equal(argument, *value)?]));
    conditions.collect()
}

/// The bit of `O_TMPFILE` that is its own; such a file could not be counted.
const UNNAMED_FILE: u64 = 0o20_000_000;
const THREAD: u64 = libc::CLONE_THREAD as u64;
const NAMESPACES: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u64;

/// None that asks for signals (`F_SETOWN`, `F_SETSIG`): they could go to others.
const FCNTL: &[u64] = &[
    libc::F_DUPFD as u64,
    libc::F_DUPFD_CLOEXEC as u64,
    libc::F_GETFD as u64,
    libc::F_SETFD as u64,
    libc::F_GETFL as u64,
    libc::F_SETFL as u64,
    libc::F_GETLK as u64,
    libc::F_SETLK as u64,
    libc::F_SETLKW as u64,
    libc::F_GETPIPE_SZ as u64,
];

/// Whether something is a terminal, and what is there to read.
const IOCTL: &[u64] = &[
    libc::TCGETS,
    libc::TIOCGWINSZ,
    libc::FIONREAD,
    libc::FIONBIO,
    libc::FIOCLEX,
    libc::FIONCLEX,
];

/// Names of threads and of memory.
const PRCTL: &[u64] = &[
    libc::PR_SET_NAME as u64,
    libc::PR_GET_NAME as u64,
    libc::PR_SET_VMA as u64,
];

const ANY: &[c_long] = &[
    // Reading and writing what is open.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_preadv2,
    libc::SYS_pwritev2,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pipe2,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_fadvise64,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_splice,
    libc::SYS_flock,
    libc::SYS_getdents64,
    libc::SYS_mkdirat,
    // Asking about files.
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getcwd,
    // Waiting.
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    libc::SYS_timerfd_gettime,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_restart_syscall,
    // Memory.
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_msync,
    libc::SYS_mincore,
    libc::SYS_mlock,
    libc::SYS_mlock2,
    libc::SYS_munlock,
    libc::SYS_get_mempolicy,
    libc::SYS_set_mempolicy,
    libc::SYS_mbind,
    // Threads and signals of its own.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_sigsuspend,
    libc::SYS_sigaltstack,
    libc::SYS_timer_create,
    libc::SYS_timer_settime,
    libc::SYS_timer_gettime,
    libc::SYS_timer_delete,
    libc::SYS_timer_getoverrun,
    libc::SYS_setitimer,
    libc::SYS_getitimer,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Who and when and where it is.
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getresuid,
    libc::SYS_getresgid,
    libc::SYS_getgroups,
    libc::SYS_getpriority,
    libc::SYS_getcpu,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_times,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_sysinfo,
    libc::SYS_uname,
];

/// The same under names that newer architectures no longer have.
#[cfg(target_arch = "x86_64")]
const OLD: &[c_long] = &[
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_mkdir,
    libc::SYS_getdents,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_epoll_create,
    libc::SYS_epoll_wait,
    libc::SYS_eventfd,
    libc::SYS_getrlimit,
    libc::SYS_time,
    libc::SYS_arch_prctl,
    libc::SYS_sync_file_range,
];
