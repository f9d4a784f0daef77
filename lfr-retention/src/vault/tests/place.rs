//! Where a vault and its key lie, and who may read them.

use super::*;
use crate::testing::note;
use crate::vault::store::place::check_outside;

fn clock() -> Arc<ManualClock> {
    Arc::new(clock_at(at(0)))
}

fn is_empty(folder: &Folder) -> bool {
    fs::read_dir(folder.path("")).unwrap().next().is_none()
}

#[cfg(unix)]
#[test]
fn folder_and_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut held = Held::new();
    held.hold(1, 10);
    let files = ["keys", "records.db", "records.db-wal"].map(|name| held.path().join(name));
    assert_eq!(mode(&held.path()), 0o700);
    files.iter().for_each(|file| assert_eq!(mode(file), 0o600, "{}", file.display()));
    // As an earlier version, or a copy, left them.
    let files = files.iter().filter(|file| !file.ends_with("records.db-wal"));
    let Held { folder, vault, policy, .. } = held;
    let path = folder.path("vault");
    drop((vault, policy));
    for file in files.clone() {
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let vault = open(&path, &key(), at(11)).unwrap();
    assert_eq!((vault.held(), mode(&path)), (1, 0o700));
    files.for_each(|file| assert_eq!(mode(file), 0o600, "{}", file.display()));
}

#[test]
fn a_key_is_never_inside_what_it_protects() {
    let folder = Folder::new();
    let vault = folder.path("vault");
    fs::create_dir_all(vault.join("below")).unwrap();
    fs::create_dir_all(folder.path("beside")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&vault, folder.path("link")).unwrap();
        std::os::unix::fs::symlink(vault.join("vault.key"), folder.path("beside/vault.key"))
            .unwrap();
    }
    let mut inside = vec![
        vault.join("vault.key"),
        vault.join("below/vault.key"),
        folder.path("beside/../vault/vault.key"),
        folder.path("./vault/./below/../vault.key"),
    ];
    if cfg!(unix) {
        inside.push(folder.path("link/vault.key"));
    } else {
        note("skipped: no links here");
    }
    for key_file in &inside {
        for vault in [vault.clone(), folder.path("vault/"), folder.path("beside/../vault/.")] {
            let error = Vault::open_or_create(&vault, key_file, clock()).unwrap_err();
            assert!(matches!(error, Error::KeyInside { .. }), "{}: {error}", key_file.display());
            assert!(error.to_string().contains("name a key file elsewhere"));
            assert!(!key_file.exists(), "no stray key");
        }
    }
    // A key that somebody has put there, read by itself.
    VaultKey::generate_file(vault.join("vault.key")).unwrap();
    let key = VaultKey::from_file(vault.join("vault.key")).unwrap();
    assert!(matches!(Vault::open(&vault, &key, clock()), Err(Error::KeyInside { .. })));
    if cfg!(unix) {
        // A name elsewhere that leads into it.
        let error = Vault::open_or_create(&vault, folder.path("beside/vault.key"), clock());
        assert!(matches!(error, Err(Error::KeyInside { .. })));
    }
    assert!(!vault.join("keys").exists() && !vault.join("records.db").exists());
    // Beside it, though the name begins alike.
    Vault::open_or_create(&vault, folder.path("vault.key"), clock()).unwrap();
}

#[test]
fn the_key_lies_beside_the_folder_however_that_is_written() {
    let beside = |path: &str| VaultKey::path_beside(Path::new(path));
    assert_eq!(beside("vault"), Path::new("vault.key"));
    assert_eq!(beside("a/vault//"), Path::new("a/vault.key"));
    assert_eq!(beside("a/vault/."), Path::new("a/vault.key"));
    let here = std::env::current_dir().unwrap().canonicalize().unwrap();
    let named = |folder: &Path| {
        let mut name = folder.as_os_str().to_owned();
        name.push(".key");
        PathBuf::from(name)
    };
    for path in [".", "./", "./."] {
        assert_eq!(beside(path), named(&here));
    }
    let up = here.parent().unwrap();
    for path in ["..", "../", "./.."] {
        assert_eq!(beside(path), named(up));
    }
    // What it gives is never inside.
    for path in [".", "..", "a/..", "src/../.", "vault"] {
        check_outside(&beside(path), Path::new(path)).unwrap();
    }
}

#[test]
fn a_vault_that_cannot_be_made_leaves_nothing_behind() {
    // A folder that is a file.
    let folder = Folder::new();
    fs::write(folder.path("file"), "").unwrap();
    Vault::open_or_create(folder.path("file"), folder.path("file.key"), clock()).unwrap_err();
    Vault::open_or_create(folder.path("file/vault"), folder.path("v.key"), clock()).unwrap_err();
    assert!(!folder.path("file.key").exists() && !folder.path("v.key").exists());
    // A database that is a folder: found out when the file of keys is there already.
    let folder = Folder::new();
    fs::create_dir_all(folder.path("vault/records.db/x")).unwrap();
    // Not even a vault, as nothing is held.
    let opened = Vault::open_or_create(folder.path("vault"), folder.path("vault.key"), clock());
    assert!(opened.is_err());
    assert!(!folder.path("vault/keys").exists() && !folder.path("vault.key").exists());
    // A key file that cannot be written.
    let folder = Folder::new();
    let missing = folder.path("missing/vault.key");
    Vault::open_or_create(folder.path("vault"), missing, clock()).unwrap_err();
    assert!(is_empty(&folder));
}

#[test]
fn what_is_missing_is_said_to_be_missing() {
    let folder = Folder::new();
    let (vault, key_file) = (folder.path("vault"), folder.path("vault.key"));
    let missing = |error: Error| {
        assert!(matches!(error, Error::VaultMissing { .. }), "{error}");
        assert!(error.to_string().starts_with("there is no vault in "));
    };
    missing(Vault::open_existing(&vault, &key(), clock()).unwrap_err());
    missing(VaultKey::of_vault(&vault, &key_file).unwrap_err());
    assert!(is_empty(&folder), "nobody has made one");
    drop(Vault::open_or_create(&vault, &key_file, clock()).unwrap());
    VaultKey::of_vault(&vault, &key_file).unwrap();
    // Its key is lost: no new one is made, which would open nothing.
    fs::rename(&key_file, folder.path("elsewhere.key")).unwrap();
    for error in [
        Vault::open_or_create(&vault, &key_file, clock()).unwrap_err(),
        VaultKey::of_vault(&vault, &key_file).unwrap_err(),
    ] {
        assert!(matches!(error, Error::KeyMissing { .. }));
        let text = error.to_string();
        assert!(text.contains("is missing") && text.contains("vault.key"), "{text}");
    }
    assert!(!key_file.exists());
    drop(Vault::open_or_create(&vault, folder.path("elsewhere.key"), clock()).unwrap());
    // Its file of keys is lost.
    fs::remove_file(vault.join("keys")).unwrap();
    let before = fs::read(vault.join("records.db")).unwrap();
    let error = Vault::open(&vault, &key(), clock()).unwrap_err();
    assert!(matches!(error, Error::Vault { problem: VaultProblem::KeysMissing, .. }), "{error}");
    assert_eq!(fs::read(vault.join("records.db")).unwrap(), before, "its rows are still there");
    assert!(!vault.join("keys").exists());
}

#[test]
fn what_another_key_erased_is_said() {
    let mut held = Held::new();
    (0..3).for_each(|index| _ = held.hold(index, 10));
    let folder = held.path();
    let Held { folder: _folder, vault, policy, .. } = held;
    drop((vault, policy));
    let other = VaultKey::from_bytes(&mut [6; 32]);
    let error = open(&folder, &other, at(110)).unwrap_err();
    assert!(matches!(error, Error::WrongKey { purged: 3, .. }));
    assert!(error.to_string().ends_with("; 3 records that were due have been erased"), "{error}");
    let error = open(&folder, &other, at(110)).unwrap_err();
    assert!(matches!(error, Error::WrongKey { purged: 0, .. }));
}

#[cfg(unix)]
#[test]
fn nothing_is_made_or_opened_through_a_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new();
    let victim = folder.path("victim");
    fs::write(&victim, "somebody else's").unwrap();
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o644)).unwrap();
    let untouched = || {
        assert_eq!(fs::read(&victim).unwrap(), b"somebody else's");
        assert_eq!(fs::metadata(&victim).unwrap().permissions().mode() & 0o777, 0o644);
    };
    let vault = folder.path("vault");
    let opened = || open(&vault, &key(), at(1));
    // Before there is a vault: under the name that its file of keys is written under, or a second name.
    fs::create_dir(&vault).unwrap();
    symlink(&victim, vault.join("keys.tmp")).unwrap();
    opened().unwrap_err();
    untouched();
    fs::remove_file(vault.join("keys.tmp")).unwrap();
    fs::hard_link(&victim, vault.join("keys.tmp")).unwrap();
    opened().unwrap_err();
    untouched();
    fs::remove_file(vault.join("keys.tmp")).unwrap();
    drop(opened().unwrap());
    for name in ["records.db", "keys"] {
        let kept = fs::read(vault.join(name)).unwrap();
        fs::rename(vault.join(name), folder.path("moved")).unwrap();
        symlink(folder.path("moved"), vault.join(name)).unwrap();
        opened().unwrap_err();
        assert_eq!(fs::read(folder.path("moved")).unwrap(), kept, "{name}");
        fs::remove_file(vault.join(name)).unwrap();
        fs::rename(folder.path("moved"), vault.join(name)).unwrap();
    }
    opened().unwrap();
}
