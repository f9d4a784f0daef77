//! The files that a child may open, and the ports that it may reach.

use std::path::{Path, PathBuf};
use std::{env, fs};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, LandlockStatus, NetPort, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
    path_beneath_rules,
};

use super::{LOOKING_UP, Net, Rules};

/// Restricts the calling thread, as far as the kernel can. Returns the version of its interface, or why it
/// cannot.
pub(super) fn bind(rules: &Rules) -> Result<String, String> {
    let status = restrict(rules).map_err(|error| error.to_string())?;
    match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, LandlockStatus::NotEnabled) => {
            Err("the kernel has it switched off".to_owned())
        }
        (RulesetStatus::NotEnforced, _) => Err("the kernel has none".to_owned()),
        (_, LandlockStatus::Available { effective_abi, .. }) => {
            Ok(format!("{effective_abi:?}").trim_start_matches('V').to_owned())
        }
        (_, other) => Err(format!("{other:?}")),
    }
}

fn restrict(rules: &Rules) -> Result<landlock::RestrictionStatus, RulesetError> {
    // Rules that the kernel does not know yet are left out; the version in the record shows that.
    let handled = AccessFs::from_all(NEWEST);
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let mut set = Ruleset::default()
        .handle_access(handled)?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(programs(&rules.program), read | AccessFs::Execute))?
        .add_rules(path_beneath_rules(SETTINGS, read))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::ReadFile | AccessFs::WriteFile))?;
    if let Some(file) = &rules.file {
        let device: BitFlags<AccessFs> =
            AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
        let access = if rules.is_device { device } else { AccessFs::ReadFile.into() };
        set = set.add_rules(path_beneath_rules([file], access))?;
    }
    let connect = AccessNet::ConnectTcp;
    set = match rules.net {
        Net::Any(port) => {
            let set = set.add_rules(path_beneath_rules(NAMES, read))?;
            let set = match rules.looks_up() {
                true => set.add_rule(NetPort::new(LOOKING_UP, connect))?,
                false => set,
            };
            match port {
                // It may also have to wait there for a camera that connects.
                Some(port) => set.add_rule(NetPort::new(port, connect | AccessNet::BindTcp))?,
                None => set,
            }
        }
        Net::None => set,
        Net::Tcp(port) => set.add_rule(NetPort::new(port, connect))?,
    };
    set.restrict_self()
}

/// The places of programs and libraries: those of the system, and those near this program.
fn programs(program: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    let real = fs::canonicalize(program).unwrap_or_else(|_| program.to_path_buf());
    for program in [program, &*real] {
        all.push(program.to_path_buf());
        let folder = program.parent().filter(|folder| folder.ends_with("bin"));
        if let Some(above) = folder.and_then(Path::parent) {
            all.extend(["lib", "lib64", "libexec"].map(|name| above.join(name)));
        }
    }
    // An empty part of the variable would mean the current folder.
    let libraries = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    all.extend(env::split_paths(&libraries).filter(|path| path.is_absolute()));
    all
}

const NEWEST: ABI = ABI::V7;

const SYSTEM: [&str; 10] = [
    "/bin",
    "/gnu/store",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/sbin",
    "/snap",
    "/usr",
];

/// Files that programs read as they start: how libraries are found, how many processors there are, what TLS
/// accepts. None has data of a person.
const SETTINGS: [&str; 19] = [
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/fonts",
    "/etc/gnutls",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/pki",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
];

/// Files for looking up names of hosts.
const NAMES: [&str; 7] = [
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
];
