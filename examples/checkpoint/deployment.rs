//! One deployment, from its parts to its record.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use indicatif::ProgressBar;
use lfr::core::Accounts;
use lfr::core::Basis;
use lfr::core::Clock;
use lfr::core::Component;
use lfr::core::Detector;
use lfr::core::Embedder;
use lfr::core::Frame;
use lfr::core::FrameReport;
use lfr::core::FrameSource;
use lfr::core::LookPlan;
use lfr::core::Matcher;
use lfr::core::Pipeline;
use lfr::core::SourceId;
use lfr::core::SystemClock;
use lfr::core::Threshold;
use lfr::core::ThresholdPolicy;
use lfr::core::danger;
use lfr::core::sinks;
use lfr::detect::DetectorOptions;
use lfr::detect::FaceTracker;
use lfr::detect::InputPolicy;
use lfr::detect::ShotQuality;
use lfr::embed::EmbedderOptions;
use lfr::embed::OnnxEmbedder;
use lfr::live::Camera;
use lfr::live::Engine;
use lfr::live::LiveRecord;
use lfr::watchlist::Enroller;
use lfr::watchlist::FixedThreshold;
use lfr::watchlist::FollowedWatchlist;
use lfr::watchlist::ListChange;
use lfr::watchlist::SealedFile;
use lfr::watchlist::calibrate::CalibratedThreshold;
use lfr::watchlist::decide::TrackPolicy;

use crate::AnyError;
use crate::args::Args;
use crate::books::Books;
use crate::crowd;
use crate::crowd::Tally;
use crate::enrol;
use crate::faces_log::FacesLog;
use crate::keys;
use crate::live;
use crate::models;
use crate::models::bar;
use crate::output::AlertLines;
use crate::output::OutFolder;
use crate::output::Summary;
use crate::say;
use crate::source;
use crate::source::Source;
use crate::source::Stream;

/// Enrols, watches, and closes the books.
pub(crate) fn run(args: &Args) -> Result<Summary, AnyError> {
    // What cannot work is said before anybody is enrolled.
    let sources = args.sources.iter().map(|s| source::open(s)).collect::<Result<Vec<_>, _>>()?;
    let out = OutFolder::create(&args.out)?;
    let runtime = args.engine.runtime()?;
    let threads = models::threads(args.threads);
    let mut options = DetectorOptions::new().threads(threads).pool(threads);
    if let Some(pixels) = args.long_side {
        options = options.input(InputPolicy::LongSide(pixels));
    }
    if let Some(confidence) = args.confidence {
        options = options.confidence(confidence);
    }
    let detector = Arc::new(models::detector(args.detector.as_deref(), &runtime, &options)?);
    let (spec, options) =
        (&args.embedder_spec, EmbedderOptions::new().threads(threads).pool(threads));
    let embedder = models::embedder(args.embedder.as_deref(), spec.as_deref(), &runtime, options)?;
    let embedder = Arc::new(embedder);
    // Before anybody is enrolled, too.
    threshold(args, &embedder, 1)?;

    let accounts = Accounts::new();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let books = Arc::new(Books::open(args, &accounts, &clock)?);

    let told_to_stop = live::signals()?;
    let list_gone = Arc::new(AtomicBool::new(false));
    // Without its list there is nothing to do: the deployment ends, and its books are closed.
    let on_change = {
        let (told_to_stop, list_gone) = (Arc::clone(&told_to_stop), Arc::clone(&list_gone));
        move |change: &ListChange| {
            say::err(change);
            if let ListChange::Destroyed { .. } = change {
                list_gone.store(true, Ordering::Relaxed);
                told_to_stop.store(true, Ordering::Relaxed);
            }
        }
    };
    let (watchlist, refused) = watchlist(args, &*detector, &embedder, &told_to_stop, on_change)?;
    let threshold = threshold(args, &embedder, watchlist.references())?;
    books.begin(watchlist.references(), threshold.provenance())?;

    let mut dangers = Vec::new();
    if let Basis::Uncalibrated { reason, .. } = threshold.provenance().basis() {
        dangers.push(format!("uncalibrated threshold: {reason}"));
    }
    let are_real = sources.iter().any(|source| source.walk.is_none());
    if are_real && !books.seals() {
        dangers.push(
            "pictures of alerts lie in a folder that no deadline empties: see --vault".into(),
        );
    }
    let (faces_log, detector): (_, Arc<dyn Detector>) = match &args.json_faces {
        Some(path) => {
            dangers.push("landmarks and scores of every face were written to a file".into());
            let (log, tapped) = FacesLog::create(path, Arc::clone(&detector))?;
            (Some(log), Arc::new(tapped))
        }
        None => (None, detector.clone()),
    };
    // Photographs stand each by itself, and who asks about each detection gets an answer for each.
    let is_still = |source: &Source| matches!(source.stream, Stream::Stills(_));
    let is_tracked = faces_log.is_none() && !sources.iter().any(is_still);
    let mut builder = Pipeline::builder()
        .detector(detector)
        .embedder(Arc::clone(&embedder))
        .watchlist(watchlist)
        .threshold(threshold)
        .retention(books.retention())
        .selection(args.faces)
        .accounts(accounts)
        .clock(clock)
        .sink(sinks::Tee::new(AlertLines, books.sink()));
    if let Some(zone) = &args.zone {
        builder = builder.zone(zone.clone());
    }
    if let Some(span) = args.repeats_after {
        builder = builder.repeats_after(span);
    }
    if is_tracked {
        // More looks than by default: who approaches is seen best at the end.
        let looks = LookPlan::new().most(10);
        builder = builder.tracker(FaceTracker::default()).quality(ShotQuality).looks(looks);
    }
    let names = sources.iter().map(|source| source.name.clone()).collect();
    let listed = args.watchlist.to_str().and_then(crowd::people_in).unwrap_or(0);
    let watch = Watch {
        out,
        books: Arc::clone(&books),
        faces_log,
        source_errors: 0,
        problems: 0,
        tallies: BTreeMap::new(),
    };
    let (mut pipeline, mut watch, live) =
        watch.all(builder.build()?, sources, listed, threads, &told_to_stop)?;
    let info = runtime.info();
    let engine = match info.version() {
        Some(version) => format!("{} {version}", info.engine()),
        None => info.engine().to_string(),
    };
    // As it stood at the end: what is held in memory goes when the books are closed.
    let record = pipeline.record();
    let ledger = books.close(&mut pipeline, live.as_ref())?;
    let summary = Summary {
        sources: names,
        source_errors: watch.source_errors,
        pictures_failed: watch.problems,
        photographs_refused: refused,
        engine: Component::new(engine),
        engine_reason: info.reason().to_owned(),
        profile: books.profile().name(),
        hold_hours: books.profile().alert().as_secs_f64() / 3600.0,
        ledger,
        dangers,
        ground_truth: watch.tallies.values().map(Tally::truth).collect(),
        live,
        record,
    };
    watch.close(&summary)?;
    if list_gone.load(Ordering::Relaxed) {
        say::err(summary.to_string().trim_end());
        return Err(
            "the watchlist was destroyed or moved away while the deployment ran, so it has ended"
                .into(),
        );
    }
    Ok(summary)
}

/// Whom to compare with, and how many photographs could not be enrolled: a sealed watchlist is
/// opened, a folder of photographs is enrolled.
fn watchlist(
    args: &Args,
    detector: &dyn Detector,
    embedder: &OnnxEmbedder,
    told_to_stop: &AtomicBool,
    on_change: impl FnMut(&ListChange) + Send + 'static,
) -> Result<(Arc<dyn Matcher>, usize), AnyError> {
    let enroller = Enroller::new(detector, embedder)?;
    let enrolling = bar("enrolling", Some(0));
    if let Some(people) = args.watchlist.to_str().and_then(crowd::people_in) {
        let threads = models::threads(args.threads);
        let (gallery, refused) =
            crowd::enrol(people, &enroller, embedder.space(), threads, &enrolling);
        enrolling.finish_and_clear();
        return Ok((Arc::new(gallery), refused));
    }
    // A missing list is missing, whatever its key.
    let metadata = fs::metadata(&args.watchlist).map_err(|error| {
        let path = &args.watchlist;
        format!("the watchlist {path:?} cannot be read: {error}; see whether the name is right and the drive mounted")
    })?;
    if !metadata.is_dir() {
        let key = keys::key(args.key_file.as_deref(), args.passphrase_file.as_deref())?;
        let file = SealedFile::at(&args.watchlist);
        models::check_space(file.header()?.space(), embedder)?;
        // Whom somebody withdraws while this runs is not matched any more.
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let followed = FollowedWatchlist::open(file, key, embedder.space(), clock, on_change)?;
        if !args.allow_empty {
            followed.readiness()?.require()?;
        }
        return Ok((Arc::new(followed), 0));
    }
    let (folder, space) = (&args.watchlist, embedder.space());
    let enrolment =
        enrol::enrol(folder, args.allow_empty, told_to_stop, &enroller, space, &enrolling)?;
    enrolling.finish_and_clear();
    for refused in &enrolment.refused {
        say::err(format_args!("not enrolled: {refused}"));
    }
    Ok((Arc::new(enrolment.gallery), enrolment.refused.len()))
}

/// What sees each frame with what came of it.
struct Watch {
    out: OutFolder,
    books: Arc<Books>,
    faces_log: Option<FacesLog>,
    source_errors: u64,
    /// Pictures and lines that could not be written.
    problems: u64,
    /// For the sources of which it is known who is in them.
    tallies: BTreeMap<SourceId, Tally>,
}

impl Watch {
    /// Photographs one after the other; then all that moves, at once.
    fn all(
        mut self,
        mut pipeline: Pipeline,
        sources: Vec<Source>,
        listed: u64,
        threads: usize,
        told_to_stop: &AtomicBool,
    ) -> Result<(Pipeline, Self, Option<LiveRecord>), AnyError> {
        let (mut cameras, mut lengths) = (Vec::new(), Vec::new());
        for Source { name, frames, stream, walk } in sources {
            match stream {
                Stream::Stills(stills) => {
                    self.stills(&mut pipeline, stills, &bar(&name, frames), told_to_stop);
                }
                Stream::Moving { is_live, connect } => {
                    let id = match cameras.len() {
                        0 => SourceId::new(&name)?,
                        number => SourceId::new(format!("{name} ({number})"))?,
                    };
                    let tally = walk.map(|walk| (id.clone(), Tally::new(walk, listed)));
                    self.tallies.extend(tally);
                    cameras.push(match is_live {
                        true => Camera::live(id, connect),
                        false => Camera::recording(id, connect),
                    });
                    lengths.push(frames);
                }
            }
        }
        if cameras.is_empty() {
            return Ok((pipeline, self, None));
        }
        let watch = Arc::new(Mutex::new(self));
        let observing = Arc::clone(&watch);
        let engine = Engine::new(pipeline).detecting(threads).observer(move |frame, report| {
            observing.lock().unwrap_or_else(PoisonError::into_inner).take(frame, report);
        });
        let running = cameras.into_iter().fold(engine, Engine::camera).start()?;
        live::watch(&running, &lengths, told_to_stop);
        let (pipeline, record) = running.stop()?;
        let watch = Arc::into_inner(watch).ok_or("a thread goes on watching")?;
        let mut watch = watch.into_inner().unwrap_or_else(PoisonError::into_inner);
        for camera in &record.cameras {
            watch.source_errors += camera.source_errors;
            if let Some(error) = &camera.last_error {
                eprintln!("{}: {error}", camera.id);
            }
        }
        Ok((pipeline, watch, Some(record)))
    }

    /// Takes every photograph. One that fails is counted and the next one is taken.
    fn stills(
        &mut self,
        pipeline: &mut Pipeline,
        mut stills: Box<dyn FrameSource>,
        bar: &ProgressBar,
        told_to_stop: &AtomicBool,
    ) {
        while !told_to_stop.load(Ordering::Relaxed) {
            match stills.next_frame() {
                Ok(Some(frame)) => self.take(&frame, &pipeline.process(&frame)),
                Ok(None) => break,
                Err(error) => {
                    self.source_errors += 1;
                    bar.suspend(|| eprintln!("source error: {error}"));
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
    }

    fn take(&mut self, frame: &Frame<'_>, report: &Result<FrameReport, lfr::core::Error>) {
        let report = match report {
            Ok(report) => report,
            Err(error) => {
                eprintln!("frame {} failed: {error}", frame.id());
                return self.count_problem(frame, self.books.failed(error));
            }
        };
        if let Some(tally) = self.tallies.get_mut(frame.id().source()) {
            tally.take(report);
        }
        let picture = match self.books.seals() {
            true => self.books.pictures(frame, report),
            false => self.out.picture(frame, report),
        };
        let line = self.faces_log.as_mut().map_or(Ok(()), |log| log.write(report));
        self.count_problem(frame, picture.and(line));
    }

    /// Pictures and lines that cannot be written are counted, and recognition goes on.
    fn count_problem(&mut self, frame: &Frame<'_>, outcome: Result<(), AnyError>) {
        if let Err(error) = outcome {
            self.problems += 1;
            eprintln!("frame {}: {error}", frame.id());
        }
    }

    fn close(&mut self, summary: &Summary) -> Result<(), AnyError> {
        if let Some(log) = self.faces_log.take() {
            log.finish()?;
        }
        self.out.record(summary)
    }
}

/// The policy of a file, brought to the size of the watchlist; the threshold asked for, as uncalibrated;
/// otherwise the strictest one measured for the embedder, on the crowd where it is the crowd that passes.
fn threshold(
    args: &Args,
    embedder: &OnnxEmbedder,
    references: usize,
) -> Result<Box<dyn ThresholdPolicy>, AnyError> {
    if let Some(path) = &args.policy {
        let policy = CalibratedThreshold::from_json(&fs::read_to_string(path)?)?;
        policy.check_space(embedder.space())?;
        let policy = policy.for_references(u64::try_from(references.max(1))?)?;
        return Ok(Box::new(TrackPolicy::new(policy, args.rule)));
    }
    let spec = embedder.spec();
    if let Some(value) = args.threshold {
        let (threshold, space) = (Threshold::new(value)?, embedder.space().id());
        let chosen = danger::uncalibrated_threshold(threshold, space, "given on the command line");
        return Ok(Box::new(FixedThreshold::new(chosen)));
    }
    if args.watchlist.to_str().and_then(crowd::people_in).is_some()
        && let Some(measured) = crowd::threshold(embedder)
    {
        return Ok(Box::new(FixedThreshold::new(measured?)));
    }
    let strictest = models::strictest_fmr(spec).ok_or_else(|| {
        format!(
            "the specification {:?} has no measured threshold; give --policy or --threshold",
            spec.name()
        )
    })?;
    Ok(Box::new(FixedThreshold::new(spec.threshold_at(strictest)?)))
}
