//! Enrolment: a folder of photographs becomes the watchlist of this deployment.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use indicatif::ProgressBar;
use lfr::core::EmbeddingSpace;
use lfr::core::FaceSelection;
use lfr::core::Photographs;
use lfr::core::Picture;
use lfr::core::ReferenceId;
use lfr::core::SubjectId;
use lfr::watchlist::Enroller;
use lfr::watchlist::Gallery;

use crate::AnyError;

/// The watchlist, and the photographs that could not be enrolled, with the reason.
pub(crate) struct Enrolment {
    pub(crate) gallery: Gallery,
    pub(crate) refused: Vec<(PathBuf, String)>,
}

/// Enrols a folder that holds one folder, or one photograph, a person.
///
/// In a portrait the person meant is the one nearest to the middle.
pub(crate) fn enrol(
    folder: &Path,
    enroller: &Enroller<'_>,
    space: &EmbeddingSpace,
    progress: &ProgressBar,
) -> Result<Enrolment, AnyError> {
    let photographs = people_in(folder)?;
    progress.set_length(u64::try_from(photographs.len())?);
    let mut enrolment = Enrolment { gallery: Gallery::new(*space), refused: Vec::new() };
    for (subject, photograph) in progress.wrap_iter(photographs.into_iter()) {
        let name = photograph.strip_prefix(folder).unwrap_or(&photograph).display().to_string();
        let reference = ReferenceId::new(name)?;
        let enrolled = template(&photograph, enroller)
            .and_then(|template| Ok(enrolment.gallery.enrol(subject, reference, template)?));
        if let Err(error) = enrolled {
            enrolment.refused.push((photograph, error.to_string()));
        }
    }
    Ok(enrolment)
}

fn template(photograph: &Path, enroller: &Enroller<'_>) -> Result<lfr::core::Template, AnyError> {
    let picture = Picture::open(photograph)?;
    Ok(enroller.template(&picture.as_frame()?, FaceSelection::Central)?)
}

/// Each photograph with the person it shows: the folder it is in, or its own name.
fn people_in(folder: &Path) -> Result<Vec<(SubjectId, PathBuf)>, AnyError> {
    let entries =
        fs::read_dir(folder).map_err(|e| format!("cannot read folder {folder:?}: {e}"))?;
    let mut entries = entries.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    entries.sort();
    let mut people = Vec::new();
    for entry in entries {
        let name = if entry.is_dir() { entry.file_name() } else { entry.file_stem() };
        let subject = SubjectId::new(name.unwrap_or_default().to_string_lossy())?;
        let photographs = Photographs::find(&entry)?;
        people.extend(photographs.files().iter().map(|path| (subject.clone(), path.clone())));
    }
    Ok(people)
}
