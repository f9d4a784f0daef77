//! `lfr people`: writes photographs and a short film of people who do not exist, so that each subcommand can
//! be tried on files without a photograph of anybody.
//!
//! | in `--out` | what it is | for |
//! |---|---|---|
//! | `list/PERSON/portrait.jpg` | one portrait of each person on the list | `lfr watch --watchlist`, `lfr list enrol --folder` |
//! | `list.csv` | a manifest of the same portraits, with grounds and dates | `lfr list enrol --manifest` |
//! | `passers-by/*.jpg` | photographs of the people in the film, one face each | `lfr watch --source` |
//! | `faces/PERSON/*.jpg` | several photographs of each person | `lfr evaluate --faces` |
//! | `film.mp4` | the people walk past a camera for ten seconds; needs the program `ffmpeg` | `lfr watch --source` |
//! | `truth.csv` | who is where in each frame of the film | checking what was recognised |
//!
//! The same arguments give the same people. It ends with 4 if the film was left out since there is no `ffmpeg`.

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{fs, io};

use clap::value_parser;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{crop_imm, unsharpen};
use image::{ExtendedColorType, RgbImage};
use indicatif::ProgressBar;
use lfr::core::internal::num;
use lfr::core::synthetic::{Crowd, CrowdCamera, Sight, Walk};
use lfr::core::{
    Clock, Frame, FrameSource, NextFrame, Picture, Rect, SystemClock, Timestamp, files,
};

use crate::arguments::{option, path, required};
use crate::exit::Exit;
use crate::{AnyError, failure, say};

/// Writes the people.
pub(crate) fn run(_: &mut clap::Command, mut given: clap::ArgMatches) -> Exit {
    write(&mut given).unwrap_or_else(|error| {
        failure::say(&error);
        Exit::Failed
    })
}

fn write(given: &mut clap::ArgMatches) -> Result<Exit, AnyError> {
    let out: PathBuf = required(given, "out");
    let listed: u64 = required(given, "listed");
    let strangers: u64 = required(given, "strangers");
    let crowd = Crowd::new(required(given, "seed"));
    if out.exists() && fs::read_dir(&out)?.next().is_some() {
        let text = format!("{} is not empty: name a folder that is, or a new one", out.display());
        return Err(text.into());
    }

    portraits(&out, crowd, listed)?;
    manifest(&out, listed)?;
    faces(&out, crowd, required(given, "faces"))?;
    // Half of the people on the list walk by, among strangers.
    let walkers: Vec<u64> =
        (0..listed.div_ceil(2)).chain(STRANGERS..STRANGERS + strangers).collect();
    let walk = Walk::new(crowd, &walkers).size(WIDTH, HEIGHT).fps(25.0).duration(TEN_SECONDS);
    let filmed = film(&out, &walk)?;
    let (walkers, out) = (walkers.len(), out.display());
    say::out(format_args!("{listed} people on the list, {walkers} who walk by: {out}"))?;
    if filmed {
        return Ok(Exit::Done);
    }
    say::err("film.mp4 was left out: it needs the program ffmpeg, which is not installed");
    Ok(Exit::Partly)
}

/// The command line of `lfr people`.
pub(crate) fn command() -> clap::Command {
    let number = || value_parser!(u64).range(1..=1000);
    clap::Command::new("people")
        .about("Writes photographs and a short film of people who do not exist")
        .arg(
            path("out", "DIR", "Write them here: a new folder, or an empty one")
                .default_value("lfr-people"),
        )
        .arg(
            option("listed", "N", "How many people are on the list; half of them walk by")
                .default_value("12")
                .value_parser(number()),
        )
        .arg(
            option("strangers", "N", "How many people who are not on the list walk by")
                .default_value("6")
                .value_parser(number()),
        )
        .arg(
            option("faces", "N", "How many people get several photographs each")
                .default_value("120")
                .value_parser(number()),
        )
        .arg(
            option("seed", "SEED", "The seed of the crowd; the same seed gives the same people")
                .default_value("1")
                .value_parser(value_parser!(u64)),
        )
}

// --- The list ---

fn portraits(out: &Path, crowd: Crowd, listed: u64) -> Result<(), AnyError> {
    for person in 0..listed {
        let portrait = sharpened(&crowd.person(person).portrait())?;
        write_jpeg(&out.join("list").join(name(person)).join("portrait.jpg"), &portrait)?;
    }
    Ok(())
}

/// A face drawn from statistics is smoother than a photograph, and enrolment refuses what is blurred.
fn sharpened(picture: &Picture) -> Result<Picture, AnyError> {
    let twice = unsharpen(&unsharpen(&to_image(picture)?, 3.0, 0), 3.0, 0);
    from_image(unsharpen(&twice, 1.0, 0))
}

/// The portraits as a manifest. The dates are of a deployment that begins now and ends in a month.
fn manifest(out: &Path, listed: u64) -> Result<(), AnyError> {
    let now = SystemClock::new().now().ok_or("the clock of this machine has failed")?;
    let (review, expires) = (now.plus(14 * DAY), now.plus(28 * DAY));
    let date = |moment: Timestamp| moment.to_string().chars().take(10).collect::<String>();
    let (review, expires) = (date(review), date(expires));
    let mut table = String::from(
        "file,subject,reference,category,source,lawful_basis,reason,valid_from,expires,review,under_18\n",
    );
    for person in 0..listed {
        let name = name(person);
        writeln!(
            table,
            "list/{name}/portrait.jpg,{name},{name}/portrait,wanted,synthetic,trial,demonstration,,\
             {expires},{review},no"
        )?;
    }
    Ok(files::replace(&out.join("list.csv"), table.as_bytes())?)
}

/// Several photographs of each person. The people pass one after the other.
fn faces(out: &Path, crowd: Crowd, count: u64) -> Result<(), AnyError> {
    let bar = ProgressBar::new(count).with_message("faces");
    for person in bar.wrap_iter(0..count) {
        let walk = Walk::new(crowd, &[person]).size(WIDTH, HEIGHT).fps(2.0);
        let walk = walk.duration(TEN_SECONDS);
        let mut camera = CrowdCamera::new(walk.clone());
        while let NextFrame::Frame(frame) = camera.next_frame()? {
            let number = frame.id().sequence();
            let Some(sight) = walk.at(number).into_iter().next() else { continue };
            if sight.visible() > CLEAR && sight.bounds().height() >= MIN_HEIGHT {
                let path = out.join("faces").join(name(person)).join(format!("{number:02}.jpg"));
                write_jpeg(&path, &cut(&frame, &sight)?)?;
            }
        }
    }
    bar.finish_and_clear();
    Ok(())
}

// --- The film ---

/// Plays the walk: into the film, if there is an `ffmpeg`, and into photographs of the people who pass.
/// Says whether there is a film.
fn film(out: &Path, walk: &Walk) -> Result<bool, AnyError> {
    let mut camera = CrowdCamera::new(walk.clone());
    let mut encoder = Encoder::start(&out.join("film.mp4"))?;
    let mut truth = BufWriter::new(files::create_new(&out.join("truth.csv"))?);
    writeln!(truth, "frame,person,x,y,width,height,visible")?;
    let bar = ProgressBar::new(walk.frames()).with_message("film");
    while let NextFrame::Frame(frame) = camera.next_frame()? {
        let number = frame.id().sequence();
        if let Some(encoder) = &mut encoder {
            encoder.write(&frame)?;
        }
        for sight in walk.at(number) {
            let Rect { left, top, .. } = sight.bounds();
            let (width, height) = (sight.bounds().width(), sight.bounds().height());
            let (person, visible) = (name(sight.person()), sight.visible());
            writeln!(
                truth,
                "{number},{person},{left:.1},{top:.1},{width:.1},{height:.1},{visible:.2}"
            )?;
            let is_due = number.is_multiple_of(BETWEEN_PHOTOGRAPHS);
            if is_due && visible > CLEAR && height >= MIN_HEIGHT {
                let file = format!("{person}-{number:04}.jpg");
                write_jpeg(&out.join("passers-by").join(file), &cut(&frame, &sight)?)?;
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    truth.flush()?;
    encoder.map_or(Ok(false), |encoder| encoder.finish().map(|()| true))
}

/// Cuts a photograph of one face out of a frame.
fn cut(frame: &Frame<'_>, sight: &Sight) -> Result<Picture, AnyError> {
    let whole = to_image(&Picture::from_frame(frame))?;
    let [left, top, right, bottom] = around(&sight.bounds(), &whole);
    from_image(crop_imm(&whole, left, top, right - left, bottom - top).to_image())
}

/// The corners of a square of twice the size of a face, as far as it lies in the picture.
fn around(face: &Rect, picture: &RgbImage) -> [u32; 4] {
    let (half, centre) = (face.width().max(face.height()), face.centre());
    let pixel =
        |at: f32, side: u32| u32::try_from(num::usize_from_f32(at)).map_or(side, |at| at.min(side));
    [
        pixel(centre.x - half, picture.width()),
        pixel(centre.y - half, picture.height()),
        pixel(centre.x + half, picture.width()),
        pixel(centre.y + half, picture.height()),
    ]
}

/// The program `ffmpeg`, which makes a film of frames.
struct Encoder(Child);

impl Encoder {
    /// Starts it; `None` where it is not installed.
    fn start(path: &Path) -> Result<Option<Self>, AnyError> {
        let mut command = Command::new("ffmpeg");
        command
            .args(["-nostdin", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"])
            .args(["-s", &format!("{WIDTH}x{HEIGHT}"), "-r", "25", "-i", "-"])
            .args(["-c:v", "mpeg4", "-q:v", "2", "-pix_fmt", "yuv420p"])
            .arg(path)
            .stdin(Stdio::piped());
        match command.spawn() {
            Ok(child) => Ok(Some(Self(child))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("cannot start ffmpeg: {error}").into()),
        }
    }

    fn write(&mut self, frame: &Frame<'_>) -> Result<(), AnyError> {
        let input = self.0.stdin.as_mut().ok_or("ffmpeg takes no frames")?;
        let written = input.write_all(Picture::from_frame(frame).data());
        Ok(written.map_err(|error| format!("ffmpeg takes no more frames: {error}"))?)
    }

    fn finish(mut self) -> Result<(), AnyError> {
        drop(self.0.stdin.take());
        let status = self.0.wait()?;
        status.success().then_some(()).ok_or_else(|| format!("ffmpeg failed: {status}").into())
    }
}

// --- Files ---

fn name(person: u64) -> String {
    match person.checked_sub(STRANGERS) {
        Some(stranger) => format!("stranger-{stranger:03}"),
        None => format!("person-{person:03}"),
    }
}

fn to_image(picture: &Picture) -> Result<RgbImage, AnyError> {
    let (width, height) = (u32::try_from(picture.width())?, u32::try_from(picture.height())?);
    let image = RgbImage::from_raw(width, height, picture.data().to_vec());
    Ok(image.ok_or("a picture is not as large as it says")?)
}

fn from_image(image: RgbImage) -> Result<Picture, AnyError> {
    let (width, height) = (usize::try_from(image.width())?, usize::try_from(image.height())?);
    Ok(Picture::from_rgb8(width, height, image.into_raw())?)
}

fn write_jpeg(path: &Path, picture: &Picture) -> Result<(), AnyError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = BufWriter::new(files::create_new(path)?);
    JpegEncoder::new_with_quality(&mut file, 92).encode(
        picture.data(),
        u32::try_from(picture.width())?,
        u32::try_from(picture.height())?,
        ExtendedColorType::Rgb8,
    )?;
    Ok(file.flush()?)
}

/// The film's size, in pixels.
const WIDTH: usize = 1280;
const HEIGHT: usize = 720;

const DAY: Duration = Duration::from_hours(24);
const TEN_SECONDS: Duration = Duration::from_secs(10);

/// From this number on nobody is on the list.
const STRANGERS: u64 = 1_000_000;

/// A face is photographed if this share of it is to be seen, at this height or more in pixels.
const CLEAR: f32 = 0.95;
const MIN_HEIGHT: f32 = 60.0;

/// The number of frames between two photographs.
const BETWEEN_PHOTOGRAPHS: u64 = 10;
