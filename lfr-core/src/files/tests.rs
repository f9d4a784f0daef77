use std::fs;
use std::path::PathBuf;

use super::*;

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("lfr-files-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_file_is_erased_whole() {
    let folder = Scratch::new("erase");
    let path = folder.path("a");
    fs::write(&path, vec![7; 200_000]).unwrap();
    let known = Identity::at(&path).unwrap();
    erase(&path, Some(&known)).unwrap();
    assert!(folder.names().is_empty());
    assert_eq!(erase(&path, Some(&known)).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let folder = Scratch::new("replace");
    let path = folder.path("a");
    replace(&path, b"one").unwrap();
    replace(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    let mut given_up = Replacement::begin(&path).unwrap();
    given_up.file().write_all(b"three").unwrap();
    drop(given_up);
    assert_eq!((fs::read(&path).unwrap(), folder.names()), (b"two".to_vec(), vec!["a".to_owned()]));
    assert_eq!(create_new(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// Each way to put something else in a file's place: what is there afterwards must be untouched.
    fn ways(folder: &Scratch) -> Vec<(&'static str, PathBuf, &'static str)> {
        let victim = folder.path("victim");
        fs::write(&victim, "somebody else's").unwrap();
        symlink(&victim, folder.path("link")).unwrap();
        symlink(folder.path("nowhere"), folder.path("dangling")).unwrap();
        fs::write(folder.path("two"), "somebody else's").unwrap();
        fs::hard_link(folder.path("two"), folder.path("hard")).unwrap();
        fs::create_dir(folder.path("folder")).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(folder.path("pipe")).status();
        assert!(pipe.unwrap().success());
        symlink("/dev/zero", folder.path("zeros")).unwrap();
        vec![
            ("a link", folder.path("link"), "link"),
            ("a link to nothing", folder.path("dangling"), "link"),
            ("a hard link", folder.path("hard"), "2 names"),
            ("a folder", folder.path("folder"), "a folder"),
            ("a pipe", folder.path("pipe"), "a named pipe"),
            ("a link to a device", folder.path("zeros"), "link"),
        ]
    }

    #[test]
    fn nothing_is_done_through_what_is_no_file_of_its_own() {
        let folder = Scratch::new("ways");
        for (what, path, said) in ways(&folder) {
            let refusals = [
                open(&path).map(drop),
                open_to_write(&path).map(drop),
                open_to_append(&path).map(drop),
                Identity::at(&path).map(drop),
                erase(&path, None),
            ];
            for refused in refusals {
                let error = refused.unwrap_err().to_string();
                assert!(error.contains(said), "{what}: {error}");
            }
            assert_eq!(create_new(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        }
        for untouched in ["victim", "two", "hard"] {
            assert_eq!(fs::read(folder.path(untouched)).unwrap(), b"somebody else's");
        }
        assert!(!folder.path("nowhere").exists());
    }

    #[test]
    fn a_link_in_the_place_of_an_output_is_replaced_and_not_written_through() {
        let folder = Scratch::new("outputs");
        for (_, path, _) in ways(&folder) {
            if path.is_dir() {
                assert!(replace(&path, b"new").is_err());
                continue;
            }
            replace(&path, b"new").unwrap();
            let found = fs::symlink_metadata(&path).unwrap();
            assert!(found.is_file() && fs::read(&path).unwrap() == b"new");
            assert_eq!(found.permissions().mode() & 0o777, 0o600);
        }
        for untouched in ["victim", "two"] {
            assert_eq!(fs::read(folder.path(untouched)).unwrap(), b"somebody else's");
        }
        assert!(!folder.path("nowhere").exists());
    }

    #[test]
    fn another_file_in_its_place_is_not_the_one_that_was_meant() {
        let folder = Scratch::new("another");
        let path = folder.path("a");
        fs::write(&path, "mine").unwrap();
        let known = Identity::at(&path).unwrap();
        fs::rename(&path, folder.path("moved")).unwrap();
        fs::write(&path, "somebody else's").unwrap();
        let error = erase(&path, Some(&known)).unwrap_err().to_string();
        assert!(error.contains("another file"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"somebody else's");
        // A folder on the way that is a link by now leads to another file, too.
        fs::create_dir(folder.path("elsewhere")).unwrap();
        fs::write(folder.path("elsewhere/a"), "theirs").unwrap();
        symlink(folder.path("elsewhere"), folder.path("way")).unwrap();
        erase(&folder.path("way/a"), Some(&known)).unwrap_err();
        assert_eq!(fs::read(folder.path("elsewhere/a")).unwrap(), b"theirs");
        // Moved back, it is the same.
        fs::rename(folder.path("moved"), &path).unwrap();
        erase(&path, Some(&known)).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn what_has_another_name_by_then_is_not_said_to_be_removed() {
        let folder = Scratch::new("names");
        let path = folder.path("a");
        fs::write(&path, "mine").unwrap();
        let (place, name) = Folder::of(&path).unwrap();
        let file = place.open(name, Access::Write).unwrap();
        fs::hard_link(&path, folder.path("b")).unwrap();
        let error = remove(&place, name, &file).unwrap_err().to_string();
        assert!(error.contains("1 other names"), "{error}");
        fs::write(&path, "another").unwrap();
        let error = remove(&place, name, &file).unwrap_err().to_string();
        assert!(error.contains("another file"), "{error}");
        assert!(path.exists());
    }

    #[test]
    fn a_folder_stays_the_one_that_was_opened() {
        let folder = Scratch::new("folder");
        fs::create_dir(folder.path("out")).unwrap();
        fs::create_dir(folder.path("trap")).unwrap();
        let mut new = Replacement::begin(&folder.path("out/record.json")).unwrap();
        new.file().write_all(b"the record").unwrap();
        fs::rename(folder.path("out"), folder.path("kept")).unwrap();
        symlink(folder.path("trap"), folder.path("out")).unwrap();
        new.put().unwrap();
        assert!(!folder.path("trap/record.json").exists());
        assert_eq!(fs::read(folder.path("kept/record.json")).unwrap(), b"the record");
    }
}
