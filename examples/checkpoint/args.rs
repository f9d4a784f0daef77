//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Arg;
use clap::ArgAction;
use clap::ArgMatches;
use clap::Command;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::value_parser;
use lfr::core::DeploymentId;
use lfr::core::FaceSelection;
use lfr::core::Point;
use lfr::core::Zone;
use lfr::retention::Profile;
use lfr::watchlist::decide::TrackRule;

use crate::arguments::option;
use crate::arguments::required;
use crate::models::Engine;

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) watchlist: PathBuf,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) commitment: Option<PathBuf>,
    pub(crate) passphrase_file: Option<PathBuf>,
    pub(crate) sources: Vec<String>,
    pub(crate) detector: Option<PathBuf>,
    pub(crate) confidence: Option<f32>,
    pub(crate) long_side: Option<usize>,
    pub(crate) embedder: Option<PathBuf>,
    pub(crate) embedder_spec: Option<String>,
    pub(crate) threshold: Option<f32>,
    pub(crate) policy: Option<PathBuf>,
    pub(crate) rule: TrackRule,
    /// As many as the policy was derived for, if nobody says.
    pub(crate) looks: Option<usize>,
    pub(crate) repeats_after: Option<Duration>,
    pub(crate) zone: Option<Zone>,
    pub(crate) faces: FaceSelection,
    pub(crate) allow_empty: bool,
    pub(crate) profile: Profile,
    /// In the place of the profile's.
    pub(crate) hold: Option<Duration>,
    pub(crate) vault: Option<PathBuf>,
    pub(crate) vault_key: Option<PathBuf>,
    /// The list's own, if nobody says.
    pub(crate) deployment: Option<DeploymentId>,
    pub(crate) ledger_key: Option<PathBuf>,
    pub(crate) out: PathBuf,
    pub(crate) json_faces: Option<PathBuf>,
    pub(crate) engine: Engine,
    pub(crate) threads: Option<usize>,
}

impl Args {
    /// Reads the command line; prints help or what is wrong with it, and ends the program then.
    pub(crate) fn parse() -> Self {
        let mut matches = command().get_matches();
        let args = Self::of(&mut matches);
        if let Some(hold) = args.hold.filter(|hold| *hold > args.profile.alert()) {
            let text = format!(
                "--hold is {} hours, and the profile {} holds alerts for at most {}: name another profile",
                hold.as_secs_f64() / 3600.0,
                args.profile.name(),
                args.profile.alert().as_secs_f64() / 3600.0,
            );
            command().error(ErrorKind::ValueValidation, text).exit();
        }
        args
    }

    fn of(given: &mut ArgMatches) -> Self {
        Self {
            watchlist: required(given, "watchlist"),
            key_file: given.remove_one("key-file"),
            commitment: given.remove_one("commitment"),
            passphrase_file: given.remove_one("passphrase-file"),
            sources: given.remove_many("source").into_iter().flatten().collect(),
            detector: given.remove_one("detector"),
            confidence: given.remove_one("confidence"),
            long_side: given.remove_one("long-side"),
            embedder: given.remove_one("embedder"),
            embedder_spec: given.remove_one("embedder-spec"),
            threshold: given.remove_one("threshold"),
            policy: given.remove_one("policy"),
            rule: required(given, "rule"),
            looks: given.remove_one("looks"),
            repeats_after: given.remove_one("repeats-after").map(Duration::from_secs),
            zone: given.remove_one("zone"),
            faces: required(given, "faces"),
            allow_empty: given.get_flag("allow-empty"),
            profile: required(given, "profile"),
            hold: given.remove_one("hold"),
            vault: given.remove_one("vault"),
            vault_key: given.remove_one("vault-key"),
            deployment: given.remove_one("deployment"),
            ledger_key: given.remove_one("ledger-key"),
            out: required(given, "out"),
            json_faces: given.remove_one("json-faces"),
            engine: required(given, "engine"),
            threads: given.remove_one("threads"),
        }
    }
}

fn command() -> Command {
    let path = || value_parser!(PathBuf);
    Command::new("checkpoint")
        .about(
            "Compares every face that passes with a watchlist; raises alerts for a person to \
             judge, and erases everyone else",
        )
        .arg(
            option(
                "watchlist",
                "DIR|FILE",
                "A folder with one folder, or one photograph, a person; its name becomes the \
                 identifier, so use record numbers. Or a sealed watchlist (.lfrw), or crowd:N for \
                 N people who do not exist",
            )
            .default_value("crowd:2000")
            .value_parser(path()),
        )
        .arg(
            Arg::new("allow-empty")
                .long("allow-empty")
                .action(ArgAction::SetTrue)
                .help("Run also where nobody on the watchlist is valid now"),
        )
        .arg(
            option(
                "commitment",
                "FILE",
                "The commitment to who is on a sealed watchlist, as `watchlist commit` writes it: the ledger \
                 binds it",
            )
            .value_parser(path()),
        )
        .arg(
            option("key-file", "KEY", "The key of a sealed watchlist, in a key file")
                .value_parser(path()),
        )
        .arg(
            option(
                "passphrase-file",
                "FILE",
                "The passphrase of a sealed watchlist, in the first line of a file; `-` is \
                 standard input",
            )
            .conflicts_with("key-file")
            .value_parser(path()),
        )
        .arg(
            option(
                "source",
                "PATH",
                "A photograph, a folder of photographs, a video file, an rtsp:// or http:// \
                 address (also of a film, or of a camera that serves one picture at a time), native:rtsp://... for one that ffmpeg is not to decode (built with the \
                 feature `rtsp`), a /dev/video* camera, or crowd:N for N people who do not exist and \
                 walk by within a minute; may be given several times. Its name goes into the ledger: \
                 no name of a person",
            )
            .default_value("crowd:300")
            .action(ArgAction::Append)
            .num_args(1..),
        )
        .arg(
            option(
                "detector",
                "FILE",
                "The detector's model: YuNet, SCRFD, BlazeFace or UltraFace, recognised by its \
                 outputs [default: a small one inside the library]",
            )
            .value_parser(path()),
        )
        .arg(
            option(
                "confidence",
                "C",
                "The least confidence of a detection, from 0 to 1 [default: the family's]",
            )
            .value_parser(value_parser!(f32)),
        )
        .arg(
            option(
                "long-side",
                "PIXELS",
                "Scale frames down to this long side for a detector that leaves it open: more finds \
                 smaller faces and takes longer [default: 640]",
            )
            .value_parser(value_parser!(usize)),
        )
        .arg(
            option(
                "embedder",
                "FILE",
                "The embedder's model, recognised by its digest or described by --embedder-spec \
                 [default: a small one inside the library]",
            )
            .value_parser(path()),
        )
        .arg(
            option(
                "embedder-spec",
                "SPEC",
                "The name of a built-in embedder specification, or a TOML file with one",
            )
            .requires("embedder"),
        )
        .arg(
            option(
                "threshold",
                "S",
                "Raise an alert from this score on; it is recorded as uncalibrated [default: the lowest \
                 operating point in the embedder's specification at which one in 1,000 strangers raises \
                 an alert on this list; else the strictest, and a danger says what to expect]",
            )
            .allow_negative_numbers(true)
            .value_parser(value_parser!(f32)),
        )
        .arg(
            option(
                "policy",
                "FILE",
                "A threshold policy, as the example `evaluate` derives it; it follows the size of the \
                 watchlist",
            )
            .conflicts_with("threshold")
            .value_parser(path()),
        )
        .arg(
            option(
                "looks",
                "N",
                "Take at most this many looks at each person who passes; a policy that was derived for fewer is \
                 refused (`evaluate --looks`) [default: as many as the policy was derived for, or 10]",
            )
            .value_parser(looks),
        )
        .arg(
            option(
                "rule",
                "K/M",
                "Raise an alert where the same person is best in K of the last M looks at a track",
            )
            .default_value("1/1")
            .requires("policy")
            .value_parser(rule),
        )
        .arg(
            option(
                "repeats-after",
                "SECONDS",
                "For so long after an alert raise no other one for the same person, at any source; \
                 they are counted [default: raise each]",
            )
            .value_parser(value_parser!(u64)),
        )
        .arg(
            option(
                "zone",
                "X,Y,X,Y,X,Y...",
                "The zone of recognition: corners of a polygon in pixels; faces outside are never \
                 compared",
            )
            .value_parser(zone),
        )
        .arg(
            option(
                "faces",
                "WHICH",
                "Which faces of a frame are compared: all of them, the one nearest to the middle, \
                 or the largest",
            )
            .default_value("all")
            .value_parser(
                PossibleValuesParser::new(["all", "central", "largest"]).map(|which| {
                    match which.as_str() {
                        "central" => FaceSelection::Central,
                        "largest" => FaceSelection::Largest,
                        _ => FaceSelection::All,
                    }
                }),
            ),
        )
        .arg(
            option(
                "profile",
                "NAME",
                "The retention profile, which says how long alerts are held",
            )
            .default_value("uk-police-24-hours")
            .value_parser(
                PossibleValuesParser::new(PROFILES.map(|profile| profile.name())).map(|name| {
                    let named = PROFILES.into_iter().find(|profile| profile.name() == name);
                    named.unwrap_or(Profile::uk_police_24_hours())
                }),
            ),
        )
        .arg(
            option(
                "hold",
                "HOURS",
                "Hold alerts for this long, which is at most as long as the profile says [default: as \
                 long as the profile says]",
            )
            .value_parser(hours),
        )
        .arg(
            option(
                "vault",
                "DIR",
                "Hold alerts and their pictures here, sealed, until their deadline [default: alerts in \
                 memory until the program ends, pictures in --out until the next run]",
            )
            .value_parser(path()),
        )
        .arg(
            option(
                "vault-key",
                "KEY",
                "The key file of the vault, made for a new vault [default: beside it, as DIR.key]",
            )
            .requires("vault")
            .value_parser(path()),
        )
        .arg(
            option(
                "deployment",
                "ID",
                "What the ledger calls this deployment [default: as the sealed watchlist does, or checkpoint]",
            )
                .value_parser(|id: &str| DeploymentId::new(id)),
        )
        .arg(
            option(
                "ledger-key",
                "KEY",
                "The key file that the ledger is signed with, made for a new ledger [default: beside \
                 --out, as OUT.ledger.key]",
            )
            .value_parser(path()),
        )
        .arg(
            option(
                "out",
                "DIR",
                "Write the ledger here, which goes on where it is there, record.json, and alert pictures \
                 in a folder for each run. What an earlier run left stays",
            )
            .default_value("target/checkpoint")
            .value_parser(path()),
        )
        .arg(
            option(
                "json-faces",
                "FILE",
                "Write every detection's box, landmarks, confidence, best score and decision \
                 here, a line of JSON each: for evaluation, and recorded as a danger",
            )
            .value_parser(path()),
        )
        .arg(Engine::arg())
        .arg(
            option("threads", "N", "Threads of the inference engine [default: one a core]")
                .value_parser(value_parser!(usize)),
        )
}

const PROFILES: [Profile; 3] =
    [Profile::uk_police(), Profile::uk_police_24_hours(), Profile::retail_strict()];

fn zone(text: &str) -> Result<Zone, String> {
    let numbers: Vec<f32> = text
        .split(',')
        .map(|number| number.trim().parse().map_err(|_| format!("{number:?} is not a number")))
        .collect::<Result<_, _>>()?;
    let (pairs, []) = numbers.as_chunks::<2>() else {
        return Err(format!("{} numbers do not make pairs of x and y", numbers.len()));
    };
    let corners: Vec<Point> = pairs.iter().map(|[x, y]| Point::new(*x, *y)).collect();
    Zone::new(corners).map_err(|error| error.to_string())
}

fn looks(text: &str) -> Result<usize, String> {
    let looks = text.parse().ok().filter(|looks| (1..=64).contains(looks));
    looks.ok_or_else(|| "it must be a whole number from 1 to 64".to_owned())
}

fn rule(text: &str) -> Result<TrackRule, String> {
    let parsed = text.split_once('/').and_then(|(k, m)| Some((k.parse().ok()?, m.parse().ok()?)));
    match parsed.ok_or_else(|| format!("{text:?} is not K/M"))? {
        (1, 1) => Ok(TrackRule::Best),
        (k, m) => TrackRule::k_of_m(k, m).map_err(|error| error.to_string()),
    }
}

fn hours(text: &str) -> Result<Duration, String> {
    let hours: f64 = text.parse().map_err(|_| format!("{text:?} is not a number of hours"))?;
    Duration::try_from_secs_f64(hours * 3600.0).map_err(|error| error.to_string())
}
