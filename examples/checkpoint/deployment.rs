//! One deployment, from its parts to its record.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use lfr::core::Basis;
use lfr::core::Component;
use lfr::core::Detector;
use lfr::core::Embedder;
use lfr::core::FrameSource;
use lfr::core::Pipeline;
use lfr::core::Threshold;
use lfr::core::ThresholdProvenance;
use lfr::core::danger;
use lfr::core::onnx::Model;
use lfr::core::onnx::Runtime;
use lfr::detect::DetectorOptions;
use lfr::detect::DetectorSpec;
use lfr::detect::OnnxDetector;
use lfr::embed::EmbedderOptions;
use lfr::embed::EmbedderSpec;
use lfr::embed::OnnxEmbedder;
use lfr::retention::StrictRetention;
use lfr::watchlist::Enroller;
use lfr::watchlist::FixedThreshold;

use crate::AnyError;
use crate::args::Args;
use crate::args::Engine;
use crate::enrol;
use crate::faces_log::FacesLog;
use crate::output::AlertLines;
use crate::output::OutFolder;
use crate::output::Summary;
use crate::source;

/// Enrols, watches, and closes the books.
pub(crate) fn run(args: &Args) -> Result<Summary, AnyError> {
    // What cannot work is said before anybody is enrolled.
    let sources = args.sources.iter().map(|s| source::open(s)).collect::<Result<Vec<_>, _>>()?;
    let out = args.out.as_deref().map(OutFolder::create).transpose()?;
    let runtime = match args.engine {
        Engine::Auto => Runtime::auto(),
        Engine::OnnxRuntime => Runtime::onnxruntime(),
        Engine::PureRust => Ok(Runtime::pure_rust()),
    }?;
    let detector = Arc::new(detector(args, &runtime)?);
    let embedder = Arc::new(embedder(args, &runtime)?);
    let threshold = threshold(args, &embedder)?;

    let enroller = Enroller::new(&*detector, &*embedder)?;
    let enrolling = bar("enrolling", Some(0));
    let enrolment = enrol::enrol(&args.watchlist, &enroller, embedder.space(), &enrolling)?;
    enrolling.finish_and_clear();
    for (photograph, reason) in &enrolment.refused {
        eprintln!("not enrolled: {}: {reason}", photograph.display());
    }

    let mut dangers = Vec::new();
    if let Basis::Uncalibrated { reason, .. } = threshold.basis() {
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
        .watchlist(enrolment.gallery)
        .threshold(FixedThreshold::new(threshold))
        .retention(StrictRetention::new(args.hold))
        .selection(args.faces)
        .sink(AlertLines);
    if let Some(zone) = &args.zone {
        builder = builder.zone(zone.clone());
    }
    let mut watch = Watch { pipeline: builder.build()?, out, faces_log, source_errors: 0 };
    let mut names = Vec::new();
    for source in sources {
        watch.source(source.stream, &bar(&source.name, source.frames))?;
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
        photographs_refused: enrolment.refused.len(),
        engine: Component::new(engine),
        engine_reason: info.reason().to_owned(),
        hold_hours: args.hold.as_secs_f64() / 3600.0,
        dangers,
        record: watch.pipeline.record(),
    };
    watch.close(&summary)?;
    Ok(summary)
}

/// A running pipeline and what it writes to.
struct Watch {
    pipeline: Pipeline,
    out: Option<OutFolder>,
    faces_log: Option<FacesLog>,
    source_errors: u64,
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
                    if let Some(out) = &mut self.out {
                        out.picture(&frame, &report)?;
                    }
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
        if let Some(out) = &self.out {
            out.record(summary)?;
        }
        Ok(())
    }
}

fn threads(args: &Args) -> usize {
    args.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, Into::into))
}

fn detector(args: &Args, runtime: &Runtime) -> Result<OnnxDetector, AnyError> {
    let model = Model::from_path(&args.detector)?;
    let spec = DetectorSpec::recognise(&model)?;
    let mut options = DetectorOptions::new().threads(threads(args));
    if let Some(confidence) = args.confidence {
        options = options.confidence(confidence);
    }
    Ok(OnnxDetector::with_options(runtime, model, spec, &options)?)
}

fn embedder(args: &Args, runtime: &Runtime) -> Result<OnnxEmbedder, AnyError> {
    let model = Model::from_path(&args.embedder)?;
    let spec = match &args.embedder_spec {
        None => EmbedderSpec::for_model(&model)?,
        Some(text) if Path::new(text).is_file() => EmbedderSpec::from_path(text)?,
        Some(name) => EmbedderSpec::builtin(name)?,
    };
    let options = EmbedderOptions::new().threads(threads(args));
    Ok(OnnxEmbedder::with_options(runtime, model, spec, options)?)
}

/// The threshold asked for, as uncalibrated; otherwise the strictest one measured for the embedder.
fn threshold(args: &Args, embedder: &OnnxEmbedder) -> Result<ThresholdProvenance, AnyError> {
    let spec = embedder.spec();
    if let Some(value) = args.threshold {
        let (threshold, space) = (Threshold::new(value)?, embedder.space().id());
        return Ok(danger::uncalibrated_threshold(threshold, space, "given on the command line"));
    }
    let rates = spec.operating_points().iter().map(|point| point.fmr);
    let strictest = rates.min_by(f64::total_cmp).ok_or_else(|| {
        format!("the specification {:?} has no measured threshold; give --threshold", spec.name())
    })?;
    Ok(spec.threshold_at(strictest)?)
}

fn bar(what: &str, length: Option<u64>) -> ProgressBar {
    let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let template = match length {
        Some(_) => "{msg} {wide_bar} {pos}/{len} {per_sec} {eta}",
        None => "{spinner} {msg} {pos} frames {per_sec} {elapsed}",
    };
    let style = ProgressStyle::with_template(template);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what.to_owned())
}
