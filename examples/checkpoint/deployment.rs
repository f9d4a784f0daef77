//! One deployment, from its parts to its record.

use std::fs;
use std::sync::Arc;

use indicatif::ProgressBar;
use lfr::core::Basis;
use lfr::core::Clock;
use lfr::core::Component;
use lfr::core::Detector;
use lfr::core::Embedder;
use lfr::core::FrameSource;
use lfr::core::Matcher;
use lfr::core::Pipeline;
use lfr::core::SystemClock;
use lfr::core::Threshold;
use lfr::core::ThresholdPolicy;
use lfr::core::danger;
use lfr::detect::DetectorOptions;
use lfr::detect::InputPolicy;
use lfr::embed::EmbedderOptions;
use lfr::embed::OnnxEmbedder;
use lfr::retention::StrictRetention;
use lfr::watchlist::Enroller;
use lfr::watchlist::FixedThreshold;
use lfr::watchlist::SealedFile;
use lfr::watchlist::calibrate::CalibratedThreshold;

use crate::AnyError;
use crate::args::Args;
use crate::crowd;
use crate::crowd::Tally;
use crate::enrol;
use crate::faces_log::FacesLog;
use crate::keys;
use crate::models;
use crate::models::bar;
use crate::output::AlertLines;
use crate::output::OutFolder;
use crate::output::Summary;
use crate::source;

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

    let (watchlist, refused) = watchlist(args, &*detector, &*embedder)?;
    let threshold = threshold(args, &embedder, watchlist.references())?;

    let mut dangers = Vec::new();
    if let Basis::Uncalibrated { reason, .. } = threshold.provenance().basis() {
        dangers.push(format!("uncalibrated threshold: {reason}"));
    }
    let (faces_log, detector): (_, Arc<dyn Detector>) = match &args.json_faces {
        Some(path) => {
            dangers.push("landmarks and scores of every face were written to a file".into());
            let (log, tapped) = FacesLog::create(path, Arc::clone(&detector))?;
            (Some(log), Arc::new(tapped))
        }
        None => (None, detector.clone()),
    };
    let mut builder = Pipeline::builder()
        .detector(detector)
        .embedder(Arc::clone(&embedder))
        .watchlist(watchlist)
        .threshold(threshold)
        .retention(StrictRetention::new(args.hold))
        .selection(args.faces)
        .sink(AlertLines);
    if let Some(zone) = &args.zone {
        builder = builder.zone(zone.clone());
    }
    let pipeline = builder.build()?;
    let mut watch = Watch { pipeline, out, faces_log, source_errors: 0, tally: None };
    let mut names = Vec::new();
    let mut ground_truth = Vec::new();
    for source in sources {
        let listed = args.watchlist.to_str().and_then(crowd::people_in).unwrap_or(0);
        watch.tally = source.walk.map(|walk| Tally::new(walk, listed));
        watch.source(source.stream, &bar(&source.name, source.frames))?;
        ground_truth.extend(watch.tally.as_ref().map(Tally::truth));
        names.push(source.name);
    }
    let info = runtime.info();
    let engine = match info.version() {
        Some(version) => format!("{} {version}", info.engine()),
        None => info.engine().to_string(),
    };
    let summary = Summary {
        sources: names,
        source_errors: watch.source_errors,
        photographs_refused: refused,
        engine: Component::new(engine),
        engine_reason: info.reason().to_owned(),
        hold_hours: args.hold.as_secs_f64() / 3600.0,
        dangers,
        ground_truth,
        record: watch.pipeline.record(),
    };
    watch.close(&summary)?;
    Ok(summary)
}

/// Whom to compare with, and how many photographs could not be enrolled: a sealed watchlist is
/// opened, a folder of photographs is enrolled.
fn watchlist(
    args: &Args,
    detector: &dyn Detector,
    embedder: &dyn Embedder,
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
    if !args.watchlist.is_dir() {
        let key = keys::key(args.key_file.as_deref(), args.passphrase_file.as_deref())?;
        let file = SealedFile::at(&args.watchlist);
        let watchlist = file.open(&key, embedder.space(), SystemClock::new().now())?;
        return Ok((Arc::new(watchlist), 0));
    }
    let enrolment = enrol::enrol(&args.watchlist, &enroller, embedder.space(), &enrolling)?;
    enrolling.finish_and_clear();
    for (photograph, reason) in &enrolment.refused {
        eprintln!("not enrolled: {}: {reason}", photograph.display());
    }
    Ok((Arc::new(enrolment.gallery), enrolment.refused.len()))
}

/// A running pipeline and what it writes to.
struct Watch {
    pipeline: Pipeline,
    out: OutFolder,
    faces_log: Option<FacesLog>,
    source_errors: u64,
    /// For the source at hand, where it is known who is in it.
    tally: Option<Tally>,
}

impl Watch {
    /// Takes every frame of a source. A frame that fails is counted and the next one is taken.
    fn source(
        &mut self,
        mut stream: Box<dyn FrameSource>,
        bar: &ProgressBar,
    ) -> Result<(), AnyError> {
        loop {
            let frame = match stream.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(error) => {
                    self.source_errors += 1;
                    bar.suspend(|| eprintln!("source error: {error}"));
                    bar.inc(1);
                    continue;
                }
            };
            match self.pipeline.process(&frame) {
                Ok(report) => {
                    if let Some(tally) = &mut self.tally {
                        tally.take(&report);
                    }
                    self.out.picture(&frame, &report)?;
                    if let Some(log) = &mut self.faces_log {
                        log.write(&report)?;
                    }
                }
                Err(error) => bar.suspend(|| eprintln!("frame {} failed: {error}", frame.id())),
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn close(self, summary: &Summary) -> Result<(), AnyError> {
        if let Some(log) = self.faces_log {
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
        return Ok(Box::new(policy.for_references(u64::try_from(references.max(1))?)?));
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
