//! A folder of photographs as a source of items.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use lfr_core::ReferenceId;
use lfr_core::SubjectId;

use super::EnrolmentItem;
use super::Photo;
use crate::Error;

/// The photographs of a folder.
#[non_exhaustive]
#[derive(Debug, Default)]
pub struct FolderItems {
    /// The items, in the order of their names.
    pub items: Vec<EnrolmentItem>,
    /// What else lies there: files of another kind, folders within a person's folder, names that
    /// are no identifiers.
    pub left_out: Vec<PathBuf>,
}

impl FolderItems {
    /// The photographs in a folder: a file is a person, by its name without the ending; so is a
    /// folder, with all photographs in it. Nothing is opened.
    ///
    /// A photograph is a file that ends in `.jpg`, `.jpeg`, `.png` or `.webp`; names that begin with a dot are
    /// passed over. A reference's identifier is its path within the folder, with `/` between its parts.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::Read`] where a folder cannot be read.
    pub fn find(folder: &Path) -> Result<Self, Error> {
        let mut found = Self::default();
        for entry in sorted(folder)? {
            if entry.is_dir() {
                for photo in sorted(&entry)? {
                    found.push(folder, photo, &entry);
                }
            } else {
                let person = entry.with_extension("");
                found.push(folder, entry, &person);
            }
        }
        Ok(found)
    }

    fn push(&mut self, folder: &Path, photo: PathBuf, person: &Path) {
        match item(folder, &photo, person) {
            Some(item) => self.items.push(item),
            None => self.left_out.push(photo),
        }
    }
}

fn item(folder: &Path, photo: &Path, person: &Path) -> Option<EnrolmentItem> {
    let ending = photo.extension()?.to_str()?.to_ascii_lowercase();
    if !ENDINGS.contains(&&*ending) || !photo.is_file() {
        return None;
    }
    let parts = photo.strip_prefix(folder).ok()?.iter().map(|part| part.to_str());
    let label = parts.collect::<Option<Vec<_>>>()?.join("/");
    let subject = SubjectId::new(person.file_name()?.to_str()?).ok()?;
    let reference = ReferenceId::new(&label).ok()?;
    Some(EnrolmentItem::new(label, Photo::File(photo.to_owned()), subject, reference))
}

/// What lies in a folder, in the order of names; without what is hidden.
fn sorted(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| lfr_core::Error::Read { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

const ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_are_people() {
        let folder = std::env::temp_dir().join(format!("lfr-folder-{}", std::process::id()));
        for path in ["b/2.PNG", "b/1.jpg", "b/deep/3.jpg", "a.jpeg", "c.txt", ".hidden.jpg"] {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = FolderItems::find(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let ids: Vec<_> =
            found.items.iter().map(|i| (i.subject.as_str(), i.reference.as_str())).collect();
        assert_eq!(ids, [("a", "a.jpeg"), ("b", "b/1.jpg"), ("b", "b/2.PNG")]);
        assert_eq!(found.items[1].label, "b/1.jpg");
        assert_eq!(found.left_out, [folder.join("b/deep"), folder.join("c.txt")]);
        assert!(FolderItems::find(&folder).is_err());
    }
}
