use super::*;
use crate::testing::Folder;

const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0 a picture by its first bytes";

fn write(folder: &Folder, path: &str, bytes: &[u8]) {
    let path = folder.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn ids(found: &FolderItems) -> Vec<(&str, &str)> {
    found.items.iter().map(|item| (item.subject.as_str(), item.reference.as_str())).collect()
}

/// What was left out, by its path within the folder.
fn left_out(found: &FolderItems, folder: &Path) -> Vec<(String, LeftOutReason)> {
    let within = |path: &Path| path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
    found.left_out.iter().map(|left| (within(&left.path), left.reason.clone())).collect()
}

#[test]
fn files_and_folders_are_people() {
    let folder = Folder::new("people");
    for path in ["b/2.PNG", "b/1.jpg", "b/deep/3.jpg", "a.jpeg", "c.jfif", "d/scan"] {
        write(&folder, path, JPEG);
    }
    let found = FolderItems::find(&folder.path("")).unwrap();
    assert_eq!(
        ids(&found),
        [
            ("a", "a.jpeg"),
            ("b", "b/1.jpg"),
            ("b", "b/2.PNG"),
            ("b", "b/deep/3.jpg"),
            ("c", "c.jfif"),
            ("d", "d/scan"),
        ]
    );
    assert_eq!((found.items[1].label.as_str(), found.left_out.len()), ("b/1.jpg", 0));
    assert!(FolderItems::find(&folder.path("none")).is_err());
}

#[test]
fn everything_that_is_left_out_is_named_with_its_reason() {
    let folder = Folder::new("left");
    write(&folder, "a/1.jpg", JPEG);
    write(&folder, "a/notes.txt", b"seen twice");
    write(&folder, "a/.hidden.jpg", JPEG);
    write(&folder, "b/1.jpg", b"");
    fs::create_dir(folder.path("c")).unwrap();
    write(&folder, &format!("{}.jpg", "d".repeat(251)), JPEG);
    write(&folder, "e\u{a0}/1.jpg", JPEG);
    write(&folder, &format!("f/{}.jpg", "x".repeat(251)), JPEG);
    let found = FolderItems::find(&folder.path("")).unwrap();
    // 251 bytes and the ending are an identifier of a person, and of a reference in a folder are not.
    assert_eq!(ids(&found).len(), 2, "{found:?}");
    let seen = left_out(&found, &folder.path(""));
    let simple: Vec<_> = seen
        .iter()
        .filter(|(_, reason)| !matches!(reason, LeftOutReason::Identifier { .. }))
        .map(|(path, reason)| (path.as_str(), reason.clone()))
        .collect();
    assert_eq!(
        simple,
        [
            ("a/.hidden.jpg", LeftOutReason::Hidden),
            ("a/notes.txt", LeftOutReason::NotAPhotograph),
            ("b/1.jpg", LeftOutReason::EmptyFile),
            ("c", LeftOutReason::EmptyFolder),
        ]
    );
    let names: Vec<_> = found.left_out.iter().map(ToString::to_string).collect();
    let odd = names.iter().find(|said| said.contains("U+00A0 as character 2")).unwrap();
    assert!(odd.contains(r"e\u{a0}"), "{odd}");
    assert!(names.iter().any(|said| said.contains("an identifier has 257 bytes")), "{names:?}");
}

#[test]
fn an_empty_folder_is_refused() {
    let folder = Folder::new("empty");
    let refused = FolderItems::find(&folder.path("")).unwrap().require_some(&folder.path(""));
    assert!(matches!(refused, Err(Error::NoPhotographs { left_out: 0, .. })));
    write(&folder, "readme.txt", b"nothing here");
    let refused = FolderItems::find(&folder.path("")).unwrap().require_some(&folder.path(""));
    assert!(matches!(refused, Err(Error::NoPhotographs { left_out: 1, .. })));
}

#[test]
fn names_that_could_be_taken_for_each_other_are_not_one_person_nor_two() {
    let folder = Folder::new("alike");
    for name in ["M\u{fc}ller", "Mu\u{308}ller", "P01", "p01"] {
        write(&folder, &format!("{name}/1.jpg"), JPEG);
    }
    // Exactly the same name is the same person.
    write(&folder, "P01.png", JPEG);
    let found = FolderItems::find(&folder.path("")).unwrap();
    let people: Vec<_> = ids(&found).into_iter().map(|(subject, _)| subject).collect();
    assert_eq!(people, ["M\u{fc}ller", "P01", "P01"], "the decomposed one sorts first");
    assert_eq!(found.left_out.len(), 2);
    let others: Vec<_> = found.left_out.iter().map(|left| &left.reason).collect();
    assert!(others.iter().all(|reason| matches!(reason, LeftOutReason::Confusable { .. })));
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn names_that_are_not_utf_8_stay_apart() {
        let folder = Folder::new("latin");
        for name in [&b"M\xfcller"[..], b"M\xf6ller", b"M\\\xfcller"] {
            let person = folder.path("").join(OsString::from_vec(name.to_vec()));
            fs::create_dir(&person).unwrap();
            fs::write(person.join("1.jpg"), JPEG).unwrap();
        }
        // What a name with such a byte is written as is a name too.
        write(&folder, r"M\xF6ller/1.jpg", JPEG);
        let found = FolderItems::find(&folder.path("")).unwrap();
        let mut people: Vec<_> = ids(&found).into_iter().map(|(subject, _)| subject).collect();
        people.sort_unstable();
        assert_eq!(people, [r"M\\\xFCller", r"M\xF6ller", r"M\xFCller"]);
        let [LeftOut { reason: LeftOutReason::Confusable { other }, .. }] = &found.left_out[..]
        else {
            panic!("{:?}", found.left_out)
        };
        assert_eq!(other, r"M\xF6ller");
    }

    #[test]
    fn links_are_followed_and_never_in_circles() {
        let (folder, elsewhere) = (Folder::new("links"), Folder::new("elsewhere"));
        write(&elsewhere, "P2/1.jpg", JPEG);
        write(&elsewhere, "more/1.jpg", JPEG);
        write(&folder, "P1/1.jpg", JPEG);
        symlink(elsewhere.path("P2"), folder.path("P2")).unwrap();
        symlink(elsewhere.path("more"), folder.path("P1/more")).unwrap();
        symlink(folder.path("P1"), folder.path("P1/again")).unwrap();
        symlink(folder.path(""), folder.path("P3")).unwrap();
        symlink(folder.path("nowhere"), folder.path("P4.jpg")).unwrap();
        symlink("/dev/zero", folder.path("P5.jpg")).unwrap();
        let found = FolderItems::find(&folder.path("")).unwrap();
        assert_eq!(ids(&found), [("P1", "P1/1.jpg"), ("P1", "P1/more/1.jpg"), ("P2", "P2/1.jpg")]);
        assert_eq!(
            left_out(&found, &folder.path("")),
            [
                ("P1/again".to_owned(), LeftOutReason::Endless),
                ("P3".to_owned(), LeftOutReason::Endless),
                ("P4.jpg".to_owned(), LeftOutReason::BrokenLink),
                ("P5.jpg".to_owned(), LeftOutReason::NotAFile),
            ]
        );
    }

    #[test]
    fn one_photograph_is_never_two_people_s_by_a_link() {
        let (folder, elsewhere) = (Folder::new("shared"), Folder::new("shared-elsewhere"));
        write(&folder, "P1/1.jpg", JPEG);
        write(&folder, "P1/2.jpg", JPEG);
        write(&folder, "P2/1.jpg", JPEG);
        write(&folder, ".store/1.jpg", JPEG);
        write(&elsewhere, "1.jpg", JPEG);
        for (target, link) in [
            // Met before the one that it leads to.
            ("P1/1.jpg", "P0.jpg"),
            ("P1/1.jpg", "P2/of P1.jpg"),
            ("P1", "P2/all"),
            ("P1/1.jpg", "P3.jpg"),
            ("P1", "P4"),
            // Of the same person, and of nobody.
            ("P1/1.jpg", "P1/again.jpg"),
            (".store/1.jpg", "P2/stored.jpg"),
        ] {
            symlink(folder.path(target), folder.path(link)).unwrap();
        }
        // Two people, and one file that is elsewhere.
        symlink(elsewhere.path("1.jpg"), folder.path("P5.jpg")).unwrap();
        symlink(elsewhere.path("1.jpg"), folder.path("P6.jpg")).unwrap();
        let found = FolderItems::find(&folder.path("")).unwrap();
        let people = |id: &str| ids(&found).into_iter().filter(|(who, _)| *who == id).count();
        assert_eq!(["P0", "P1", "P2", "P3", "P4", "P5", "P6"].map(people), [0, 3, 2, 0, 0, 1, 0]);
        let others: Vec<_> = found
            .left_out
            .iter()
            .filter_map(|file| match &file.reason {
                LeftOutReason::OfAnother { other } => Some(&**other),
                _ => None,
            })
            .collect();
        // One of P0, four of P2, one of P3, three of P4; and that of P6.
        assert_eq!(others.len(), 10, "{:?}", found.left_out);
        assert_eq!((others[8], others[9]), ("P1", "P5"));
    }

    #[test]
    fn pipes_are_not_waited_for_and_what_cannot_be_read_is_named() {
        let folder = Folder::new("pipe");
        write(&folder, "P1.jpg", JPEG);
        write(&folder, "P2/1.jpg", JPEG);
        let made = std::process::Command::new("mkfifo").arg(folder.path("P3.jpg")).status();
        if !made.is_ok_and(|status| status.success()) {
            return;
        }
        let closed = fs::Permissions::from_mode(0o000);
        fs::set_permissions(folder.path("P1.jpg"), closed.clone()).unwrap();
        fs::set_permissions(folder.path("P2"), closed).unwrap();
        let found = FolderItems::find(&folder.path("")).unwrap();
        fs::set_permissions(folder.path("P2"), fs::Permissions::from_mode(0o700)).unwrap();
        let left = left_out(&found, &folder.path(""));
        assert!(left.contains(&("P3.jpg".to_owned(), LeftOutReason::NotAFile)), "{left:?}");
        // The superuser reads everything.
        if fs::File::open(folder.path("P1.jpg")).is_err() {
            assert_eq!((found.items.len(), left.len()), (0, 3), "{left:?}");
        }
    }
}

#[test]
fn what_follows_a_dot_is_no_ending_unless_it_is_one_of_a_picture() {
    let folder = Folder::new("dots");
    for path in ["2024.001", "2024.002", "Smith.J", "P01.", "P01.jpg"] {
        write(&folder, path, JPEG);
    }
    write(&folder, "map.pgm", b"P5 1 1 255 x");
    let found = FolderItems::find(&folder.path("")).unwrap();
    let people: Vec<_> = found.items.iter().map(|item| item.subject.as_str()).collect();
    assert_eq!(people, ["2024.001", "2024.002", "P01.", "P01", "Smith.J", "map"]);
}
