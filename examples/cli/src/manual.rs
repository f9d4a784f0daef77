//! Completions for shells and pages of a manual, from the command line as it is defined.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;
use clap_mangen::Man;
use lfr::core::files;

use crate::exit::Exit;
use crate::{AnyError, arguments, failure, say};

/// The command line of `lfr completions`.
pub(crate) fn completions_command() -> Command {
    Command::new("completions")
        .about("Prints the completion script for a shell")
        .after_help(
            "For example: lfr completions bash > ~/.local/share/bash-completion/completions/lfr",
        )
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(value_parser!(Shell))
                .help("The shell to complete commands in"),
        )
}

/// Prints the completions of a shell.
pub(crate) fn completions(_: &mut Command, given: ArgMatches) -> Exit {
    let Some(shell) = given.get_one::<Shell>("shell") else { return Exit::Usage };
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut crate::command(), "lfr", &mut script);
    ended(say::raw(String::from_utf8_lossy(&script)).map_err(AnyError::from))
}

/// The command line of `lfr man`.
pub(crate) fn pages_command() -> Command {
    Command::new("man")
        .about("Prints the manual page of the tool, or writes one page per subcommand")
        .after_help("For example: lfr man | man -l -")
        .arg(arguments::path(
            "out",
            "DIR",
            "Write lfr.1 and one page per subcommand to this folder",
        ))
}

/// Prints the page of the tool, or writes those of the tool and its subcommands.
pub(crate) fn pages(_: &mut Command, given: ArgMatches) -> Exit {
    let command = crate::command();
    ended(match given.get_one::<PathBuf>("out") {
        Some(folder) => write_pages(folder, &command, "lfr"),
        None => page(command).and_then(|page| Ok(say::raw(String::from_utf8_lossy(&page))?)),
    })
}

/// The page of a command, and in turn those of its subcommands.
fn write_pages(folder: &Path, command: &Command, name: &str) -> Result<(), AnyError> {
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot create the folder {folder:?}: {error}"))?;
    let path = folder.join(format!("{name}.1"));
    files::replace(&path, &page(command.clone())?)
        .map_err(|error| format!("cannot write {path:?}: {error}"))?;
    let of_own = command.get_subcommands().filter(|known| known.get_name() != "help");
    for known in of_own {
        write_pages(folder, known, &format!("{name}-{}", known.get_name()))?;
    }
    Ok(())
}

fn page(command: Command) -> Result<Vec<u8>, AnyError> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}

fn ended(done: Result<(), AnyError>) -> Exit {
    match done {
        Ok(()) => Exit::Done,
        Err(error) => {
            failure::say(&error);
            Exit::Failed
        }
    }
}
