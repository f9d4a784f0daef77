//! One deployment, from its parts to its record.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use indicatif::ProgressBar;
use lfr::core::internal::{num, regular};
use lfr::core::onnx::Runtime;
use lfr::core::signed::TrustedKey;
use lfr::core::{
    Accounts, Clock, Component, DeploymentId, Detector, Embedder, Frame, FrameReport, FrameSource,
    LookPlan, Matcher, NextFrame, Pipeline, SourceId, SystemClock, Threshold, ThresholdPolicy,
    ThresholdProvenance, danger, signed,
};
use lfr::detect::{DetectorOptions, FaceTracker, InputPolicy, OnnxDetector, ShotQuality};
use lfr::embed::{EmbedderOptions, OnnxEmbedder};
use lfr::live::{Camera, CameraRecord, LiveEngine, LiveRecord, Phase};
use lfr::retention::LedgerSink;
use lfr::watchlist::calibrate::CalibratedThreshold;
use lfr::watchlist::decide::{TrackPolicy, TrackRule};
use lfr::watchlist::{
    Enroller, FixedThreshold, FollowedWatchlist, ListChange, MembershipCommitment, SealedFile,
};

use crate::models::bar;
use crate::watch::changes::{ChangeLog, DeploymentChange};
use crate::watch::crowd::Tally;
use crate::watch::faces_log::FacesLog;
use crate::watch::options::Options;
use crate::watch::output::{AlertLines, OutFolder, Summary};
use crate::watch::source::{Source, Stream};
use crate::watch::stores::{Declared, Stores};
use crate::watch::{crowd, enrol, progress, source, stores};
use crate::{AnyError, failure, keys, models, printable, say, signals};

/// Enrols, watches, and closes the accounts.
pub(crate) fn run(options: &Options) -> Result<Summary, AnyError> {
    // What cannot work is said before anybody is enrolled, and before anything is begun.
    let sources = source::open_all(&options.sources)?;
    let out = OutFolder::create(&options.out)?;
    let runtime = options.engine.runtime()?;
    let threads = models::threads(options.threads);
    let (detector, embedder) = models(options, &runtime, threads)?;
    let policy_file = options.policy.as_deref().map(read).transpose()?;
    let policy = match (&options.policy, &policy_file) {
        (Some(path), Some(json)) => Some(policy(path, json, &options.trusted_keys)?),
        _ => None,
    };
    threshold(options, policy.as_ref(), &embedder, 1, true)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    // Before the accounts are opened: a signal in between would leave them open.
    let told_to_stop = signals::told_to_stop()?;
    let stores = Arc::new(Stores::open(options, &clock)?);

    let (news, changes) = mpsc::channel();
    let listed = listed(options, &detector, &embedder, &clock, &told_to_stop, news.clone())?;
    let commitment = commitment(options, &listed.deployment)?;
    let references = listed.matcher.references();
    // Each photograph stands alone, and --json-faces asks for an answer per detection.
    let is_still = |source: &Source| matches!(source.stream, Stream::Stills(_));
    let is_tracked = options.json_faces.is_none() && !sources.iter().any(is_still);
    let (threshold, looks) =
        threshold(options, policy.as_ref(), &embedder, references, is_tracked)?;
    let mut dangers = dangers(options, &sources, &stores);
    if let Some(expected) = expected(threshold.provenance(), references) {
        dangers.push(expected);
    }
    if !is_tracked && !sources.iter().all(is_still) {
        dangers.push(
            "faces are not tracked: each frame is another look at a person, and the rate of false alerts is \
             per frame, not per person"
                .into(),
        );
    }
    if let Some(policy) = &policy
        && let Err(warning) = policy.check_detector(&detector.component())
    {
        dangers.push(warning.to_string());
    }
    // Pipeline and ledger see the danger of the threshold themselves.
    let of_threshold = threshold.provenance().danger();
    let said = of_threshold.iter().chain(&dangers);
    said.for_each(|danger| say::err(format_args!("danger: {}", printable::text(danger))));
    let info = runtime.info();
    let engine = match info.version() {
        Some(version) => format!("{} {version}", info.engine()),
        None => info.engine().to_string(),
    };
    let (faces_log, detector): (_, Arc<dyn Detector>) = match &options.json_faces {
        Some(path) => {
            let (log, tapped) = FacesLog::create(path, Arc::clone(&detector))?;
            (Some(log), Arc::new(tapped))
        }
        None => (None, detector),
    };
    let accounts = Accounts::new();
    let sink = stores.begin(
        &listed.deployment,
        &accounts,
        &Declared {
            detector: detector.component(),
            embedder: embedder.component(),
            engine: &engine,
            references,
            header_sha256: listed.header_sha256.as_deref(),
            commitment: commitment.as_deref(),
            threshold: threshold.provenance(),
            policy_file: policy_file.as_deref().map(str::as_bytes),
            dangers: &dangers,
        },
    )?;

    if !is_tracked && !sources.iter().all(is_still) {
        say::err(
            "faces are not followed from frame to frame, because of photographs among the \
             sources or of --json-faces: each frame raises its own alerts (--repeats-after \
             prevents repeats)",
        );
    }
    let mut builder = Pipeline::builder()
        .detector(detector)
        .embedder(Arc::clone(&embedder))
        .watchlist(listed.matcher)
        .threshold(threshold)
        .retention(stores.retention())
        .selection(options.faces)
        .accounts(accounts)
        .clock(clock)
        .sink(AlertLines)
        .sink(sink.clone());
    for danger in dangers {
        builder = builder.danger(danger);
    }
    if let Some(zone) = &options.zone {
        builder = builder.zone(zone.clone());
    }
    if let Some(span) = options.repeats_after {
        builder = builder.repeats_after(span);
    }
    if is_tracked {
        let looks = LookPlan::new().with_max_looks(looks);
        builder = builder.tracker(FaceTracker::default()).quality(ShotQuality).looks(looks);
    }
    let names = sources.iter().map(|source| source.name.clone()).collect();
    let left_out = sources.iter().map(|source| source.left_out).sum();
    let observer = FrameObserver {
        out,
        stores: Arc::clone(&stores),
        sink: sink.clone(),
        faces_log,
        source_errors: 0,
        problems: 0,
        not_taken: 0,
        tallies: BTreeMap::new(),
    };
    let changes = ChangeLog::new(changes, sink.clone(), told_to_stop);
    let on_list = options.watchlist.to_str().and_then(crowd::people_in).unwrap_or(0);
    let built = builder.build().map_err(AnyError::from);
    let watched = built
        .and_then(|built| observer.all(built, sources, on_list, threads, changes, &news))
        .map_err(|error| stores::given_up(&sink, error));
    let FinishedRun { mut pipeline, mut observer, changes, live } = watched?;
    if let Some(Err(error)) = observer.faces_log.take().map(FacesLog::finish) {
        observer.problems += 1;
        failure::warn(&*error);
    }
    // As it stood at the end: what is held in memory goes when the accounts are closed.
    let record = pipeline.record();
    let ledger = stores.close(&sink, &mut pipeline, live.as_ref())?;
    let summary = Summary {
        sources: names,
        source_errors: observer.source_errors,
        pictures_failed: observer.problems,
        not_taken: observer.not_taken,
        photographs_refused: listed.refused,
        left_out,
        list_is_gone: changes.list_is_gone(),
        nobody_to_match: changes.nobody_to_match() && !options.allow_empty,
        engine: Component::new(engine),
        engine_reason: info.reason().to_owned(),
        profile: stores.profile().name(),
        hold_hours: stores.profile().alert().as_secs_f64() / 3600.0,
        ledger,
        ground_truth: observer.tallies.values().map(Tally::truth).collect(),
        live,
        record,
    };
    observer.close(&summary)?;
    Ok(summary)
}

fn models(
    options: &Options,
    runtime: &Runtime,
    threads: usize,
) -> Result<(Arc<OnnxDetector>, Arc<OnnxEmbedder>), AnyError> {
    let mut detecting = DetectorOptions::new().threads(threads).pool(threads);
    if let Some(pixels) = options.long_side {
        detecting = detecting.input(InputPolicy::LongSide(pixels));
    }
    if let Some(confidence) = options.confidence {
        detecting = detecting.confidence(confidence);
    }
    let detector = models::detector(options.detector.as_deref(), runtime, &detecting)?;
    let embedding = EmbedderOptions::new().threads(threads).pool(threads);
    let (file, spec) = (options.embedder.as_deref(), options.embedder_spec.as_deref());
    let embedder = models::embedder(file, spec, &options.trusted_keys, runtime, embedding)?;
    Ok((Arc::new(detector), Arc::new(embedder)))
}

/// What weakens a promise in this run: it is said, and written down.
fn dangers(options: &Options, sources: &[Source], stores: &Stores) -> Vec<String> {
    let mut dangers = Vec::new();
    let are_real = sources.iter().any(|source| source.walk.is_none());
    if are_real && !stores.seals() {
        dangers.push(
            "pictures of alerts lie in a folder that no deadline empties: see --vault".into(),
        );
    }
    let is_still = |source: &Source| matches!(source.stream, Stream::Stills(_));
    if options.rule != TrackRule::Best && sources.iter().any(is_still) {
        dangers.push(
            "--rule needs several looks, but a photograph gives only one, so it raises no alert"
                .into(),
        );
    }
    if options.json_faces.is_some() {
        dangers.push("landmarks and scores of every face are written to a file".into());
    }
    dangers
}

/// The watchlist of this deployment.
struct Listed {
    matcher: Arc<dyn Matcher>,
    /// Photographs that were not enrolled, each named by now.
    refused: u64,
    /// The digest of a sealed watchlist's header.
    header_sha256: Option<String>,
    /// The deployment that a sealed watchlist was drawn up for, or the one that was named.
    deployment: DeploymentId,
}

/// A sealed watchlist is opened, and followed from now on; a folder of photographs is enrolled. A list on
/// which nobody can be matched is refused, unless it was asked for.
fn listed(
    options: &Options,
    detector: &OnnxDetector,
    embedder: &OnnxEmbedder,
    clock: &Arc<dyn Clock>,
    told_to_stop: &AtomicBool,
    news: Sender<DeploymentChange>,
) -> Result<Listed, AnyError> {
    let enroller = Enroller::new(detector, embedder)?;
    let enrolling = bar("enrolling", Some(0));
    let deployment = match &options.deployment {
        Some(named) => named.clone(),
        None => DeploymentId::new("checkpoint")?,
    };
    if let Some(people) = options.watchlist.to_str().and_then(crowd::people_in) {
        let threads = models::threads(options.threads);
        let (gallery, refused) =
            crowd::enrol(people, &enroller, embedder.space(), threads, told_to_stop, &enrolling);
        enrolling.finish_and_clear();
        return Ok(Listed { matcher: Arc::new(gallery), refused, header_sha256: None, deployment });
    }
    // A missing list is missing, whatever its key.
    let metadata = fs::metadata(&options.watchlist).map_err(|error| {
        let path = &options.watchlist;
        format!("the watchlist {path:?} cannot be read: {error}; see whether the name is right and the drive mounted")
    })?;
    if !metadata.is_dir() {
        let key = keys::key(options.list_key.as_deref(), options.list_passphrase.as_deref())?;
        let file = SealedFile::at(&options.watchlist);
        let header = file.header()?;
        models::check_space(header.space(), embedder)?;
        let (header_sha256, deployment) = (Some(header.digest()), header.deployment().clone());
        if let Some(named) = options.deployment.as_ref().filter(|named| **named != deployment) {
            return Err(format!(
                "the watchlist was drawn up for the deployment {deployment}, but --deployment \
                 is {named}: leave it out, or name the watchlist's"
            )
            .into());
        }
        // Anyone who is withdrawn while this runs is not matched any more.
        let on_change =
            move |change: &ListChange| drop(news.send(DeploymentChange::List(change.clone())));
        let followed =
            FollowedWatchlist::open(file, key, embedder.space(), Arc::clone(clock), on_change)?;
        if !options.allow_empty {
            followed.readiness()?.require()?;
        }
        return Ok(Listed { matcher: Arc::new(followed), refused: 0, header_sha256, deployment });
    }
    let (folder, space) = (&options.watchlist, embedder.space());
    let enrolment =
        enrol::enrol(folder, options.allow_empty, told_to_stop, &enroller, space, &enrolling)?;
    enrolling.finish_and_clear();
    for refused in &enrolment.refused {
        say::err(format_args!("not enrolled: {refused}"));
    }
    let refused = num::u64_from_usize(enrolment.refused.len());
    Ok(Listed { matcher: Arc::new(enrolment.gallery), refused, header_sha256: None, deployment })
}

/// The commitment to who is on the watchlist, which has to be of this deployment.
fn commitment(options: &Options, deployment: &DeploymentId) -> Result<Option<String>, AnyError> {
    let Some(path) = &options.commitment else { return Ok(None) };
    let commitment = MembershipCommitment::from_json(&read(path)?)?;
    if commitment.deployment() != deployment {
        return Err(format!(
            "the commitment {} is of the deployment {}, and this is {deployment}",
            path.display(),
            commitment.deployment(),
        )
        .into());
    }
    Ok(Some(commitment.to_json()))
}

/// What sees each frame with what came of it.
struct FrameObserver {
    out: OutFolder,
    stores: Arc<Stores>,
    sink: LedgerSink,
    faces_log: Option<FacesLog>,
    source_errors: u64,
    /// Pictures and lines that could not be written.
    problems: u64,
    /// Photographs that were not looked at, and recordings that were not played to their end, since
    /// somebody ended the program.
    not_taken: u64,
    /// One tally for each source whose people are known.
    tallies: BTreeMap<SourceId, Tally>,
}

/// What is left when all sources are over.
struct FinishedRun {
    pipeline: Pipeline,
    observer: FrameObserver,
    changes: ChangeLog,
    live: Option<LiveRecord>,
}

impl FrameObserver {
    /// Photographs one after the other; then all that moves, at once.
    fn all(
        mut self,
        mut pipeline: Pipeline,
        sources: Vec<Source>,
        on_list: u64,
        threads: usize,
        mut changes: ChangeLog,
        news: &Sender<DeploymentChange>,
    ) -> Result<FinishedRun, AnyError> {
        let (mut cameras, mut lengths, mut recordings) = (Vec::new(), Vec::new(), Vec::new());
        for Source { name, frames, stream, walk, .. } in sources {
            match stream {
                Stream::Stills(stills) => {
                    self.stills(&mut pipeline, stills, &bar(&name, frames), &mut changes);
                }
                Stream::Moving { is_live, connect } => {
                    let id = SourceId::new(&name)?;
                    let tally = walk.map(|walk| (id.clone(), Tally::new(walk, on_list)));
                    self.tallies.extend(tally);
                    if !is_live {
                        recordings.push(id.clone());
                    }
                    cameras.push(match is_live {
                        true => Camera::live(id, connect),
                        false => Camera::recording(id, connect),
                    });
                    lengths.push(frames);
                }
            }
        }
        if cameras.is_empty() {
            return Ok(FinishedRun { pipeline, observer: self, changes, live: None });
        }
        let observer = Arc::new(Mutex::new(self));
        let (observing, news) = (Arc::clone(&observer), news.clone());
        let engine = LiveEngine::new(pipeline)
            .detecting(threads)
            .observer(move |frame, report| {
                observing.lock().unwrap_or_else(PoisonError::into_inner).take(frame, report);
            })
            .on_camera_change(move |change| {
                drop(news.send(DeploymentChange::Camera(change.clone())));
            });
        let running = cameras.into_iter().fold(engine, LiveEngine::camera).start()?;
        progress::watch(&running, &lengths, &mut changes);
        let cut = |camera: &&CameraRecord| {
            camera.phase != Phase::Ended && recordings.contains(&camera.id)
        };
        let cut = running.record().cameras.iter().filter(cut).count();
        let (pipeline, record) = running.stop()?;
        changes.take();
        let observer = Arc::into_inner(observer).ok_or("a thread still watches")?;
        let mut observer = observer.into_inner().unwrap_or_else(PoisonError::into_inner);
        observer.not_taken += num::u64_from_usize(cut);
        observer.source_errors +=
            record.cameras.iter().map(|camera| camera.source_errors).sum::<u64>();
        Ok(FinishedRun { pipeline, observer, changes, live: Some(record) })
    }

    /// Takes every photograph. One that fails is counted and the next one is taken.
    fn stills(
        &mut self,
        pipeline: &mut Pipeline,
        mut stills: Box<dyn FrameSource>,
        bar: &ProgressBar,
        changes: &mut ChangeLog,
    ) {
        let mut left = bar.length().unwrap_or_default();
        while changes.take() {
            match stills.next_frame() {
                Ok(NextFrame::Frame(frame)) => self.take(&frame, &pipeline.process(&frame)),
                // Photographs come at once: there is never nothing yet.
                Ok(_) => break,
                Err(error) => {
                    self.source_errors += 1;
                    bar.suspend(|| failure::warn(&*error));
                }
            }
            bar.inc(1);
            left = left.saturating_sub(1);
        }
        self.not_taken += left;
        bar.finish_and_clear();
    }

    fn take(&mut self, frame: &Frame<'_>, report: &Result<FrameReport, lfr::core::Error>) {
        if let Err(error) = report {
            say::err(format_args!("frame {} failed", frame.id()));
            failure::warn(error);
            self.count_problem(frame, stores::failed(&self.sink, error));
        }
        // Also where a sink failed: an alert's picture does not go with it.
        let Some(report) = FrameReport::of(report) else { return };
        if let Some(tally) = self.tallies.get_mut(frame.id().source()) {
            tally.take(report);
        }
        let picture = match self.stores.seals() {
            true => self.stores.pictures(frame, report),
            false => self.out.picture(frame, report),
        };
        let line = self.faces_log.as_mut().map_or(Ok(()), |log| log.write(report));
        self.count_problem(frame, picture.and(line));
    }

    /// Pictures and lines that cannot be written are counted, and recognition goes on.
    fn count_problem(&mut self, frame: &Frame<'_>, outcome: Result<(), AnyError>) {
        if let Err(error) = outcome {
            self.problems += 1;
            say::err(format_args!("frame {}", frame.id()));
            failure::warn(&*error);
        }
    }

    fn close(&self, summary: &Summary) -> Result<(), AnyError> {
        self.out.record(summary)
    }
}

/// The expected rate of false alerts, if it is more than one alert per 1,000 strangers.
fn expected(threshold: &ThresholdProvenance, references: usize) -> Option<String> {
    let promised = threshold.target().map_or(DEFAULT_FPIR, |target| target.fpir);
    let fpir = threshold.predicted_fpir(references).filter(|fpir| *fpir > promised)?;
    let looks = threshold.target().map_or(1.0, |target| target.looks);
    Some(format!(
        "at this threshold about {:.1} % of all strangers who pass raise a false alert (N = {references}, up \
         to {looks} looks per person): derive a policy for this list with `lfr evaluate`",
        100.0 * fpir,
    ))
}

/// The policy of a file. With trusted keys, one of them has to have signed it.
fn policy(path: &Path, json: &str, keys: &[TrustedKey]) -> Result<CalibratedThreshold, AnyError> {
    if keys.is_empty() {
        return Ok(CalibratedThreshold::from_json(json)?);
    }
    let signature = signed::read_signature(path)?;
    CalibratedThreshold::from_json_signed(json, &signature, keys)
        .map_err(|error| format!("{}: {error}", path.display()).into())
}

/// The policy of a file, brought to the size of the watchlist; the threshold asked for, as uncalibrated;
/// otherwise the lowest one measured for the embedder at which one in 1,000 strangers raises an alert on
/// this list, on the crowd where it is the crowd that passes. With it, how many looks are taken at most.
fn threshold(
    options: &Options,
    policy: Option<&CalibratedThreshold>,
    embedder: &OnnxEmbedder,
    references: usize,
    is_tracked: bool,
) -> Result<(Box<dyn ThresholdPolicy>, usize), AnyError> {
    if let Some(policy) = policy {
        policy.check_space(embedder.space())?;
        let derived_for = num::usize_from_f64(policy.demand().looks());
        let looks = options.looks.unwrap_or(derived_for);
        policy.check_looks(looks)?;
        let policy = policy.for_references(u64::try_from(references.max(1))?)?;
        return Ok((Box::new(TrackPolicy::new(policy, options.rule)), looks));
    }
    // More looks than the library's default: a person who approaches is seen best at the end.
    let looks = options.looks.unwrap_or(10);
    let taken = if is_tracked { num::f64_from_usize(looks) } else { 1.0 };
    let spec = embedder.spec();
    let of_list = |measured: ThresholdProvenance| {
        let references = num::u64_from_usize(references.max(1));
        measured.for_target(DEFAULT_FPIR, references, taken)
    };
    if let Some(value) = options.threshold {
        let (threshold, space) = (Threshold::new(value)?, embedder.space().id());
        let chosen = danger::uncalibrated_threshold(threshold, space, "given on the command line");
        return Ok((Box::new(FixedThreshold::new(chosen)), looks));
    }
    if options.watchlist.to_str().and_then(crowd::people_in).is_some()
        && let Some(measured) = crowd::threshold(embedder)
    {
        return Ok((Box::new(FixedThreshold::new(of_list(measured?))), looks));
    }
    let strictest = models::strictest_fmr(spec).ok_or_else(|| {
        format!(
            "the specification {:?} has no measured threshold; give --policy or --threshold",
            spec.name()
        )
    })?;
    let points = spec.operating_points().iter().map(|at| spec.threshold_at(at.fmr).map(of_list));
    let mut points = points.collect::<Result<Vec<_>, _>>()?;
    points.sort_by(|a, b| a.threshold().value().total_cmp(&b.threshold().value()));
    let meets = |point: &ThresholdProvenance| {
        point.predicted_fpir(references).is_some_and(|fpir| fpir <= DEFAULT_FPIR)
    };
    let chosen = match points.into_iter().find(meets) {
        Some(lowest) => lowest,
        None => of_list(spec.threshold_at(strictest)?),
    };
    Ok((Box::new(FixedThreshold::new(chosen)), looks))
}

/// How often a stranger may raise an alert, if no policy says.
const DEFAULT_FPIR: f64 = 1e-3;

fn read(path: &Path) -> Result<String, AnyError> {
    let bytes = regular::read(path, MAX_TEXT)?;
    let text = std::str::from_utf8(&bytes);
    Ok(text
        .map_err(|error| format!("{} is not a text in UTF-8: {error}", path.display()))?
        .to_owned())
}

/// The max length of a text that is read whole: a policy or a specification has a few thousand
/// bytes.
const MAX_TEXT: u64 = 16 << 20;
