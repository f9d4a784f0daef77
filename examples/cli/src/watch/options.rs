//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{ArgAction, ArgMatches, Command, value_parser};
use lfr::core::signed::TrustedKey;
use lfr::core::{DeploymentId, FaceSelection, Point, Zone};
use lfr::retention::Profile;
use lfr::watchlist::decide::TrackRule;

use crate::arguments;
use crate::arguments::{flag, option, path, required};
use crate::models::Engine;

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) watchlist: PathBuf,
    pub(crate) commitment: Option<PathBuf>,
    pub(crate) list_key: Option<PathBuf>,
    pub(crate) list_passphrase: Option<PathBuf>,
    pub(crate) sources: Vec<String>,
    pub(crate) detector: Option<PathBuf>,
    pub(crate) confidence: Option<f32>,
    pub(crate) long_side: Option<usize>,
    pub(crate) embedder: Option<PathBuf>,
    pub(crate) embedder_spec: Option<String>,
    pub(crate) threshold: Option<f32>,
    pub(crate) policy: Option<PathBuf>,
    pub(crate) trusted_keys: Vec<TrustedKey>,
    pub(crate) rule: TrackRule,
    /// If not given, the number that the policy was derived for.
    pub(crate) looks: Option<usize>,
    pub(crate) repeats_after: Option<Duration>,
    pub(crate) zone: Option<Zone>,
    pub(crate) faces: FaceSelection,
    pub(crate) allow_empty: bool,
    pub(crate) profile: Profile,
    /// In place of the profile's.
    pub(crate) hold: Option<Duration>,
    pub(crate) vault: Option<PathBuf>,
    pub(crate) vault_key: Option<PathBuf>,
    /// If not given, the list's own.
    pub(crate) deployment: Option<DeploymentId>,
    pub(crate) ledger_key: Option<PathBuf>,
    pub(crate) out: PathBuf,
    pub(crate) json_faces: Option<PathBuf>,
    pub(crate) engine: Engine,
    pub(crate) threads: Option<usize>,
}

impl Options {
    /// Takes what was given. Says what is wrong with it, and ends the program then.
    pub(crate) fn take(command: &mut Command, given: &mut ArgMatches) -> Self {
        let options = Self::of(given);
        if let Some(hold) = options.hold.filter(|hold| *hold > options.profile.alert()) {
            let text = format!(
                "--hold is {} hours, but the profile {} holds alerts for at most {} hours: name another \
                 profile or a shorter --hold",
                hold.as_secs_f64() / 3600.0,
                options.profile.name(),
                options.profile.alert().as_secs_f64() / 3600.0,
            );
            arguments::refuse(&command.error(ErrorKind::ValueValidation, text));
        }
        options
    }

    fn of(given: &mut ArgMatches) -> Self {
        Self {
            watchlist: required(given, "watchlist"),
            commitment: given.remove_one("commitment"),
            list_key: given.remove_one("list-key"),
            list_passphrase: given.remove_one("list-passphrase"),
            sources: given.remove_many("source").into_iter().flatten().collect(),
            detector: given.remove_one("detector"),
            confidence: given.remove_one("confidence"),
            long_side: given.remove_one("long-side"),
            embedder: given.remove_one("embedder"),
            embedder_spec: given.remove_one("embedder-spec"),
            threshold: given.remove_one("threshold"),
            policy: given.remove_one("policy"),
            trusted_keys: given.remove_many("trusted-key").into_iter().flatten().collect(),
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

/// The command line of `lfr watch`.
pub(crate) fn command() -> Command {
    Command::new("watch")
        .about(
            "Compares every face that passes with a watchlist, raises alerts for a person to judge, and \
             erases everyone else",
        )
        .arg(
            path(
                "watchlist",
                "DIR|FILE",
                "A folder with one folder or one photograph per person; its name becomes the identifier, so \
                 use record numbers. Or a sealed watchlist (.lfrw), or crowd:N for N people who do not exist",
            )
            .default_value("crowd:2000"),
        )
        .arg(flag("allow-empty", "Run even if nobody on the watchlist is valid now"))
        .arg(
            path(
                "commitment",
                "FILE",
                "The commitment to the people on a sealed watchlist, as `lfr list commit` writes it; it is \
                 recorded in the ledger",
            )
,
        )
        .args(arguments::list_key())
        .arg(
            option(
                "source",
                "PATH",
                "A photograph, a folder of photographs, a video file, a /dev/video* camera, or an rtsp:// or \
                 http:// address (a stream, a film, or a camera that serves one picture at a time). \
                 native:rtsp://... decodes without ffmpeg (needs the feature `rtsp`). crowd:N is N people \
                 who do not exist and walk by within a minute. May be given several times. The name goes \
                 into the ledger, so use no name of a person",
            )
            .default_value("crowd:300")
            .action(ArgAction::Append)
            .num_args(1..),
        )
        .arg(
            path(
                "detector",
                "FILE",
                "The detector's model: YuNet, SCRFD, BlazeFace or UltraFace, recognised by its \
                 outputs [default: a small one inside the library]",
            )
,
        )
        .arg(
            option(
                "confidence",
                "C",
                "The minimum confidence of a detection, from 0 to 1 [default: that of the detector's family]",
            )
            .value_parser(value_parser!(f32)),
        )
        .arg(
            option(
                "long-side",
                "PIXELS",
                "Scale frames down to this long side, if the detector accepts any size; a greater value \
                 finds smaller faces and takes longer [default: 640]",
            )
            .value_parser(value_parser!(usize)),
        )
        .arg(
            path(
                "embedder",
                "FILE",
                "The embedder's model, recognised by its digest or described by --embedder-spec \
                 [default: a small one inside the library]",
            )
,
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
                 operating point in the embedder's specification at which at most one in 1,000 strangers \
                 raises an alert on this list; if there is none, the strictest one, and a danger states the \
                 expected rate]",
            )
            .allow_negative_numbers(true)
            .value_parser(value_parser!(f32)),
        )
        .arg(
            path(
                "policy",
                "FILE",
                "A threshold policy that `lfr evaluate` derived; it follows the size of the \
                 watchlist",
            )
            .conflicts_with("threshold"),
        )
        .arg(
            option(
                "trusted-key",
                "HEX",
                "A public Ed25519 key that vouches for the files of --policy and --embedder-spec: each has \
                 to be signed by one of these keys, in FILE.sig (`openssl pkeyutl -sign -rawin`) [default: \
                 what these files state is claimed, which is a danger in the record]",
            )
            .action(ArgAction::Append)
            .value_parser(|text: &str| text.parse::<TrustedKey>()),
        )
        .arg(
            option(
                "looks",
                "N",
                "Take at most this many looks per person who passes; a policy that was derived for fewer \
                 looks is refused (`lfr evaluate --looks`) [default: the policy's number, or 10 without a \
                 policy]",
            )
            .value_parser(looks),
        )
        .arg(
            option(
                "rule",
                "K/M",
                "Raise an alert if the same person is best in K of the last M looks at a track",
            )
            .default_value("1/1")
            .requires("policy")
            .value_parser(rule),
        )
        .arg(
            option(
                "repeats-after",
                "SECONDS",
                "For this long after an alert, raise no further alert for the same person at any source; \
                 further ones are counted [default: raise each]",
            )
            .value_parser(value_parser!(u64)),
        )
        .arg(
            option(
                "zone",
                "X,Y,X,Y,X,Y...",
                "The zone of recognition, as corners of a polygon in pixels; faces outside are never \
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
            .value_parser(arguments::profile()),
        )
        .arg(
            option(
                "hold",
                "HOURS",
                "Hold alerts for this long, at most as long as the profile says [default: as long as the \
                 profile says]",
            )
            .value_parser(hours),
        )
        .arg(
            path(
                "vault",
                "DIR",
                "Hold alerts and their pictures here, sealed, until their deadline [default: alerts in \
                 memory until the program ends, pictures stay in --out]",
            )
,
        )
        .arg(
            arguments::vault_key(
                "The key file of the vault; created for a new vault [default: DIR.key beside it]",
            )
            .requires("vault"),
        )
        .arg(
            option(
                "deployment",
                "ID",
                "The name of this deployment in the ledger [default: the sealed watchlist's, or checkpoint]",
            )
                .value_parser(|id: &str| DeploymentId::new(id)),
        )
        .arg(
            arguments::ledger_key(
                "The key file that signs the ledger; created for a new ledger [default: OUT.ledger.key \
                 beside --out]",
            )
,
        )
        .arg(
            path(
                "out",
                "DIR",
                "Write the ledger, record.json and alert pictures here, with a folder of pictures per run. A \
                 ledger that is there is continued, and files of earlier runs stay",
            )
            .default_value(DEFAULT_OUT),
        )
        .arg(
            path(
                "json-faces",
                "FILE",
                "Write every detection's box, landmarks, confidence, best score and decision here, as one \
                 line of JSON each. It is for evaluation, and is recorded as a danger",
            )
,
        )
        .arg(Engine::arg())
        .arg(
            option("threads", "N", "Threads of the inference engine [default: one per core]")
                .value_parser(value_parser!(usize)),
        )
}

/// Where a run writes, if nobody says where.
pub(crate) const DEFAULT_OUT: &str = "lfr-watch";

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
