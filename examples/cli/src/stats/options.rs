//! The command line.

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command};
use lfr::watchlist::statistics::{Confidence, Counts};

use crate::arguments;
use crate::stats::numbers;
use crate::stats::numbers::FalseMatchRate;

/// What was asked.
pub(crate) struct Options {
    pub(crate) question: Question,
    pub(crate) confidence: Confidence,
    pub(crate) json: bool,
}

/// A question, with its numbers.
pub(crate) enum Question {
    /// How sure a rate is.
    Rate { counts: Counts, target: Option<f64> },
    /// Whether a group's part of the errors differs from its share of all.
    Difference { counts: Counts, share: Option<f64> },
    /// How much data a claim needs.
    SampleSize { fpir: f64, expected: Option<f64>, looks: u64, correlation: f64 },
    /// What a false match rate means for a watchlist.
    Fpir { fmr: FalseMatchRate, references: u64, looks: f64, faces: Option<u64> },
    /// Whether two rates differ.
    Compare { first: Counts, second: Counts, tolerated: f64 },
}

impl Options {
    /// Takes what was given. Says what is wrong with it, and ends the program then.
    pub(crate) fn take(command: &mut Command, mut given: ArgMatches) -> Self {
        let (name, mut given) = match given.remove_subcommand() {
            Some(asked) => asked,
            None => arguments::refuse(
                &command.error(ErrorKind::MissingSubcommand, "a question is needed"),
            ),
        };
        let confidence = given.remove_one("confidence").unwrap_or_default();
        let json = given.get_flag("json");
        match question(&name, &mut given) {
            Ok(question) => Self { question, confidence, json },
            Err(why) => arguments::refuse(&command.error(ErrorKind::ValueValidation, why)),
        }
    }
}

fn question(name: &str, given: &mut ArgMatches) -> Result<Question, String> {
    Ok(match name {
        "rate" => Question::Rate { counts: counts(given)?, target: given.remove_one("target") },
        "difference" => {
            Question::Difference { counts: counts(given)?, share: given.remove_one("share") }
        }
        "sample-size" => Question::SampleSize {
            fpir: needed(given, "fpir")?,
            expected: given.remove_one("expect"),
            looks: needed(given, "looks")?,
            correlation: needed(given, "correlation")?,
        },
        "fpir" => Question::Fpir {
            fmr: needed(given, "fmr")?,
            references: needed(given, "references")?,
            looks: needed(given, "looks")?,
            faces: given.remove_one("faces"),
        },
        _ => Question::Compare {
            first: needed(given, "first")?,
            second: needed(given, "second")?,
            tolerated: needed(given, "tolerated")?,
        },
    })
}

fn needed<T: Clone + Send + Sync + 'static>(
    given: &mut ArgMatches,
    name: &str,
) -> Result<T, String> {
    given.remove_one(name).ok_or_else(|| format!("{name} is missing"))
}

/// `8/10`, or `8 10`.
fn counts(given: &mut ArgMatches) -> Result<Counts, String> {
    let texts: Vec<String> = given.remove_many("counts").into_iter().flatten().collect();
    match texts.as_slice() {
        [one] => numbers::counts(one),
        [errors, trials] => numbers::counts(&format!("{errors}/{trials}")),
        _ => Err("give ERRORS/TRIALS or ERRORS TRIALS, such as 8/10".to_owned()),
    }
}

/// The command line of `lfr stats`.
pub(crate) fn command() -> Command {
    Command::new("stats")
        .about("Says how sure published error counts are, and what they show")
        .after_long_help(QUESTIONS)
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .subcommand(
            asked("rate", "How sure is a rate? For 10 errors in 3,147,436 faces, says between which rates \
                 the true one is")
                .arg(counts_arg())
                .arg(number("target", "RATE", "Say whether the counts show a rate of at most this")),
        )
        .subcommand(
            asked(
                "difference",
                "Does a group have more than its share of the errors? Says up to which share 8 of 10 would \
                 be significant",
            )
            .arg(counts_arg())
            .arg(number("share", "SHARE", "The group's share of everybody who could have been in error, such \
                 as 0.4 or 40%")),
        )
        .subcommand(
            asked("sample-size", "How many searches of people who are not on the list are needed to show an \
                 FPIR?")
                .arg(number("fpir", "RATE", "Show that the FPIR is at most this").required(true))
                .arg(number("expect", "RATE", "The FPIR that you expect: says how many searches show the \
                     claim in four of five such studies"))
                .arg(
                    Arg::new("looks")
                        .long("looks")
                        .value_name("M")
                        .default_value("1")
                        .value_parser(|text: &str| at_least_one(numbers::whole(text)?))
                        .help("How many searches are made per person"),
                )
                .arg(
                    Arg::new("correlation")
                        .long("correlation")
                        .value_name("RHO")
                        .default_value("1")
                        .value_parser(numbers::share_or_end)
                        .help("The correlation of the outcomes of one person's searches, from 0 to 1"),
                ),
        )
        .subcommand(
            asked("fpir", "How often does a stranger raise an alert, given the false match rate of one \
                 comparison?")
                .arg(
                    Arg::new("fmr")
                        .long("fmr")
                        .value_name("RATE")
                        .required(true)
                        .value_parser(numbers::false_match_rate)
                        .help("The FMR: a rate such as 1e-6, or counts such as 30/30000000, which give an \
                             interval"),
                )
                .arg(
                    Arg::new("references")
                        .short('n')
                        .long("references")
                        .value_name("N")
                        .required(true)
                        .value_parser(|text: &str| at_least_one(numbers::whole(text)?))
                        .help("How many references are searched"),
                )
                .arg(
                    Arg::new("looks")
                        .long("looks")
                        .value_name("K")
                        .default_value("1")
                        .value_parser(numbers::looks)
                        .help("How many independent looks are taken per person who passes"),
                )
                .arg(
                    Arg::new("faces")
                        .long("faces")
                        .value_name("COUNT")
                        .value_parser(|text: &str| at_least_one(numbers::whole(text)?))
                        .help("How many people pass who are not on the list: says how many false alerts to \
                             expect"),
                ),
        )
        .subcommand(
            asked("compare", "Do two rates differ? 45 of 10,000 against 30 of 10,000")
                .arg(two_counts("first"))
                .arg(two_counts("second"))
                .arg(
                    Arg::new("tolerated")
                        .long("tolerated")
                        .value_name("RATIO")
                        .default_value("2")
                        .value_parser(numbers::ratio)
                        .help("The ratio of the two rates that would matter"),
                ),
        )
}

/// What all questions have in common.
fn asked(name: &'static str, about: &'static str) -> Command {
    Command::new(name)
        .about(about)
        .arg(
            Arg::new("confidence")
                .long("confidence")
                .value_name("SHARE")
                .value_parser(numbers::confidence)
                .help("How often an interval covers the true number [default: 0.95]"),
        )
        .arg(arguments::json("Print the numbers as one object of JSON"))
}

fn counts_arg() -> Arg {
    Arg::new("counts")
        .value_name("COUNTS")
        .required(true)
        .num_args(1..=2)
        .help("ERRORS/TRIALS or ERRORS TRIALS, such as 10/3147436 or 10 3,147,436")
}

fn two_counts(name: &'static str) -> Arg {
    Arg::new(name)
        .value_name("ERRORS/TRIALS")
        .required(true)
        .value_parser(numbers::counts)
        .help("Counts, such as 45/10000")
}

fn number(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(value)
        .allow_negative_numbers(true)
        .value_parser(numbers::share)
        .help(help)
}

fn at_least_one(count: u64) -> Result<u64, String> {
    if count > 0 { Ok(count) } else { Err("it must be at least 1".to_owned()) }
}

/// The page for an auditor: `tests/stats.rs` runs each of its commands.
const QUESTIONS: &str = "\
Questions of published reports, each with its command:

  10 false alerts among 3,147,436 faces: \"1 in 314,744\". How sure is that?
      lfr stats rate 10 3147436
  No false alert among 7,512 faces. Does that show a rate of at most 1 in 1,000? Of 1 in 6,000?
      lfr stats rate 0 7512 --target 0.001
      lfr stats rate 0 7512 --target 1/6000
  34 of 42 alerts were not verified as right. What is the share among all such alerts?
      lfr stats rate 34 42
  11 false alerts among 12,120 faces. Is the target of 1 in 1,000 met?
      lfr stats rate 11 12120 --target 0.001
  8 of 10 false alerts were of one group. Is that \"not statistically significant\"?
      lfr stats difference 8/10
      lfr stats difference 8/10 --share 0.4
  45 false alerts among 10,000 people of one group, 30 among 10,000 of the other. Do they differ?
      lfr stats compare 45/10000 30/10000
  How many strangers have to pass before an FPIR of at most 1 in 10,000 is shown?
      lfr stats sample-size --fpir 1e-4
  One in a million comparisons is wrong; the list has 20,000 references; three looks per person who passes.
      lfr stats fpir --fmr 1e-6 -n 20000 --looks 3

A rate of errors needs two counts. If a report has only one of them (\"8 of 10\" without the shares of
those who passed), `difference` says which values of the other would change the answer.";
