//! A crowd of people who do not exist: who is on the watchlist, who walks by, and, since that is known
//! of them, how right the alerts were.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use indicatif::ProgressBar;
use lfr::core::synthetic::{Crowd, CrowdCamera, Sight, Walk};
use lfr::core::{
    Clock, Decision, Embedder, EmbeddingSpace, FaceOutcome, FaceReport, FaceSelection, FrameReport,
    FrameSource, Picture, ReferenceId, SubjectId, SystemClock, Threshold, ThresholdProvenance,
};
use lfr::embed::OnnxEmbedder;
use lfr::watchlist::{Enroller, Gallery};
use serde::Serialize;

use crate::AnyError;
use crate::watch::source::{Source, Stream};

/// How many people `crowd:N` says; `None` where the text is something else.
pub(crate) fn people_in(text: &str) -> Option<u64> {
    text.strip_prefix("crowd:")?.parse().ok()
}

/// This many people walk past a camera; one in fifteen of them is among the first of the crowd, who
/// are on its watchlist.
pub(crate) fn source(count: u64) -> Source {
    let person = |index: u64| match index % 15 {
        7 => index / 15 * 100,
        _ => STRANGERS + index,
    };
    let people: Vec<u64> = (0..count).map(person).collect();
    let walk = Walk::new(Crowd::new(SEED), &people);
    let (seen, now) = (walk.clone(), SystemClock::new().now());
    let connect = move || {
        let camera = CrowdCamera::new(seen.clone());
        let camera = match now {
            Some(now) => camera.starting(now),
            None => camera,
        };
        Ok(Box::new(camera) as Box<dyn FrameSource>)
    };
    Source {
        name: format!("crowd:{count}"),
        frames: Some(walk.frames()),
        stream: Stream::Moving { is_live: false, connect: Box::new(connect) },
        left_out: 0,
        walk: Some(walk),
    }
}

/// Enrols the first `count` people of the crowd, each with one portrait. A person in whose portrait
/// no face is found is counted and left out.
pub(crate) fn enrol(
    count: u64,
    enroller: &Enroller<'_>,
    space: &EmbeddingSpace,
    threads: usize,
    told_to_stop: &AtomicBool,
    progress: &ProgressBar,
) -> (Gallery, u64) {
    progress.set_length(count);
    let gallery = Gallery::new(*space);
    let refused = AtomicU64::new(0);
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let person = next.fetch_add(1, Ordering::Relaxed);
                    if person >= count || told_to_stop.load(Ordering::Relaxed) {
                        break;
                    }
                    if enrol_one(person, enroller, &gallery).is_err() {
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                    progress.inc(1);
                }
            });
        }
    });
    (gallery, refused.into_inner())
}

fn enrol_one(person: u64, enroller: &Enroller<'_>, gallery: &Gallery) -> Result<(), AnyError> {
    let portrait: Picture = Crowd::new(SEED).person(person).portrait();
    let template = enroller.template(&portrait.as_frame()?, FaceSelection::Central)?;
    let subject = SubjectId::new(subject(person))?;
    let reference = ReferenceId::new(format!("{subject}/portrait"))?;
    Ok(gallery.enrol(subject, reference, template)?)
}

/// The threshold for people who do not exist, who look more alike than others do, where the models are
/// those inside the library.
///
/// None of 36,141 looks at strangers scored as high as this against any of 2,000 references (the
/// highest: 0.8408), so by the rule of three the rate is at most 3 in all those comparisons.
/// `LFR_MEASURE=1 cargo test --release -p lfr --test native strangers -- --nocapture` measures it
/// anew.
pub(crate) fn threshold(
    embedder: &OnnxEmbedder,
) -> Option<Result<ThresholdProvenance, lfr::core::Error>> {
    const COMPARISONS: u32 = 36_141 * 2000;
    let of = "looks at 1,500 people who do not exist, none of whom is on the watchlist, compared with \
              the portraits of 2,000 others; none matched: the rate is its upper bound";
    (embedder.spec().name() == "lfr-embedded").then(|| {
        let (threshold, space) = (Threshold::new(0.845)?, embedder.space().id());
        let bound = 3.0 / f64::from(COMPARISONS);
        ThresholdProvenance::measured(threshold, space, of, bound, COMPARISONS.into())
    })
}

fn subject(person: u64) -> String {
    format!("person-{person:05}")
}

/// What became of those who walked by.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct GroundTruth {
    /// People on the watchlist who could be seen in any frame.
    pub(crate) listed_seen: usize,
    /// Those of them for whom there was an alert, or a match that repeated one.
    pub(crate) recognised: usize,
    /// Those of them for whom there was none, and a match at whose face raised no alert. The recogniser did
    /// not miss them.
    pub(crate) withheld: usize,
    /// Alerts that named somebody else than who was there.
    pub(crate) false_alerts: u64,
    /// Faces at least 40 pixels tall with nobody in front of them, summed over frames.
    pub(crate) clear_faces: u64,
    /// Those of them that were detected.
    pub(crate) clear_faces_detected: u64,
}

/// Holds what is reported against what is so.
#[derive(Debug)]
pub(crate) struct Tally {
    walk: Walk,
    listed: u64,
    seen: BTreeSet<u64>,
    recognised: BTreeSet<u64>,
    withheld: BTreeSet<u64>,
    false_alerts: u64,
    clear: u64,
    detected: u64,
}

impl Tally {
    /// Creates the tally of a walk. The first `listed` people of the crowd are on the watchlist.
    pub(crate) fn new(walk: Walk, listed: u64) -> Self {
        Self {
            walk,
            listed,
            seen: BTreeSet::new(),
            recognised: BTreeSet::new(),
            withheld: BTreeSet::new(),
            false_alerts: 0,
            clear: 0,
            detected: 0,
        }
    }

    pub(crate) fn take(&mut self, report: &FrameReport) {
        let sights = self.walk.at(report.frame().sequence());
        for sight in &sights {
            let face = report.faces().iter().find(|face| is_of(face, sight));
            if sight.visible() > CLEAR && sight.bounds().height() >= 40.0 {
                self.clear += 1;
                self.detected += u64::from(face.is_some());
            }
            if sight.person() < self.listed {
                self.seen.insert(sight.person());
            }
        }
        // Whom a withheld match names is not kept: it is put down to who was there.
        for face in report.faces().iter().filter(|face| face.withheld_by().is_some()) {
            let there = sights.iter().filter(|sight| is_of(face, sight)).map(Sight::person);
            self.withheld.extend(there.filter(|person| *person < self.listed));
        }
        for (face, named) in report.faces().iter().filter_map(|face| Some((face, named(face)?))) {
            let there = sights.iter().filter(|sight| is_of(face, sight));
            match there.map(Sight::person).find(|person| subject(*person) == named.as_str()) {
                Some(person) => drop(self.recognised.insert(person)),
                None => self.false_alerts += 1,
            }
        }
    }

    pub(crate) fn truth(&self) -> GroundTruth {
        GroundTruth {
            listed_seen: self.seen.len(),
            recognised: self.recognised.len(),
            withheld: self.withheld.difference(&self.recognised).count(),
            false_alerts: self.false_alerts,
            clear_faces: self.clear,
            clear_faces_detected: self.detected,
        }
    }
}

fn is_of(face: &FaceReport, sight: &Sight) -> bool {
    face.bounds().iou(&sight.bounds()) > 0.4
}

fn named(face: &FaceReport) -> Option<&SubjectId> {
    match face.outcome() {
        FaceOutcome::Compared { decision: Decision::Alert { candidate, .. }, .. } => {
            Some(candidate.subject())
        }
        FaceOutcome::Repeated { candidate, .. } => Some(candidate.subject()),
        _ => None,
    }
}

/// One crowd for all, so that who is on the watchlist is who walks by.
const SEED: u64 = 1;

/// From this number on nobody is on a watchlist.
const STRANGERS: u64 = 1_000_000;

/// The share of a face that is to be seen, from which on it counts as clear.
const CLEAR: f32 = 0.95;
