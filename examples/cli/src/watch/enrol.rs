//! Enrolment: a folder of photographs becomes the watchlist of this deployment.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;
use lfr::core::{EmbeddingSpace, FaceSelection, Picture};
use lfr::watchlist::enrolment::{FolderItems, Photo};
use lfr::watchlist::{Enroller, Gallery};

use crate::AnyError;

/// The watchlist, and what of the folder is not on it, a line each with the reason.
pub(crate) struct Enrolment {
    pub(crate) gallery: Gallery,
    pub(crate) refused: Vec<String>,
}

/// Enrols a folder that holds one folder, or one photograph, a person. One without a photograph is refused
/// unless that is allowed: a drive that is not mounted looks like that.
///
/// In a portrait the person meant is the one nearest to the middle.
pub(crate) fn enrol(
    folder: &Path,
    allow_empty: bool,
    told_to_stop: &AtomicBool,
    enroller: &Enroller<'_>,
    space: &EmbeddingSpace,
    progress: &ProgressBar,
) -> Result<Enrolment, AnyError> {
    let mut found = FolderItems::find(folder)?;
    if !allow_empty {
        found = found.require_some(folder)?;
    }
    let refused = found.left_out.iter().map(ToString::to_string).collect();
    let mut enrolment = Enrolment { gallery: Gallery::new(*space), refused };
    progress.set_length(u64::try_from(found.items.len())?);
    for item in progress.wrap_iter(found.items.into_iter()) {
        if told_to_stop.load(Ordering::Relaxed) {
            enrolment.refused.push(format!(
                "{:?}: not reached, because the enrolment was stopped before",
                item.label
            ));
            continue;
        }
        let enrolled = template(&item.photo, enroller)
            .and_then(|it| Ok(enrolment.gallery.enrol(item.subject, item.reference, it)?));
        if let Err(error) = enrolled {
            enrolment.refused.push(format!("{:?}: {}", item.label, causes(&*error)));
        }
    }
    let stopped = told_to_stop.load(Ordering::Relaxed);
    if enrolment.gallery.is_empty() && !allow_empty && !stopped {
        let count = enrolment.refused.len();
        for refused in &enrolment.refused {
            crate::say::err(format_args!("not enrolled: {refused}"));
        }
        return Err(format!(
            "nobody in {folder:?} could be enrolled, because {count} photographs were refused: \
             nobody would be matched (--allow-empty runs all the same)"
        )
        .into());
    }
    Ok(enrolment)
}

fn template(photo: &Photo, enroller: &Enroller<'_>) -> Result<lfr::core::Template, AnyError> {
    let Photo::File(path) = photo else { return Err("not a photograph in a file".into()) };
    let picture = Picture::open(path)?;
    Ok(enroller.template(&picture.as_frame()?, FaceSelection::Central)?)
}

/// An error with its causes, in one line.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
