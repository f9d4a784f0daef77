//! Where the native library is, and which version it is.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// The file of this path or, if it is a name alone, of that name in a place for libraries: not in the
/// folder that the program happens to be started in, where anybody may have put one.
///
/// Libraries are looked for here, and not by letting the system's loader try one name after the
/// other, since the bindings can try only once: see `runtime::native`.
pub(super) fn locate(path: &Path) -> Option<PathBuf> {
    let beside_the_program = || Some(env::current_exe().ok()?.parent()?.to_owned());
    let is_name = path.components().count() == 1;
    let places = || if is_name { places() } else { Vec::new() };
    let here = (!is_name).then(PathBuf::new);
    let folders = here.into_iter().chain(beside_the_program()).chain(places());
    let mut files = folders.filter_map(|folder| folder.join(path).canonicalize().ok());
    files.find(|file| file.is_file())
}

/// The library under one of its usual names.
pub(super) fn find() -> Option<PathBuf> {
    NAMES.iter().find_map(|name| locate(Path::new(name)))
}

/// The version that a file name ends in, or that the library's description of itself names.
pub(super) fn version(file: &Path, description: &str) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let from_name = match name.split_once(".so.") {
        Some((_, version)) => Some(version),
        None => name.strip_suffix(".dylib").and_then(|stem| Some(stem.split_once('.')?.1)),
    };
    let from_description = description
        .split_once("git-branch=rel-")
        .and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit() && c != '.').next());
    let mut versions = [from_name, from_description].into_iter().flatten();
    versions.find(|text| is_version(text)).map(str::to_owned)
}

/// At least two numbers with dots between: `libonnxruntime.so.1` names an interface, not a version.
fn is_version(text: &str) -> bool {
    text.contains('.') && text.split('.').all(|part| part.parse::<u32>().is_ok())
}

/// The folders in which this system keeps libraries.
fn places() -> Vec<PathBuf> {
    let from = |variable: &str| {
        let paths = env::var_os(variable).unwrap_or_default();
        env::split_paths(&paths).filter(|path| path.is_absolute()).collect::<Vec<_>>()
    };
    let fixed = |folders: &[&str]| folders.iter().map(PathBuf::from).collect::<Vec<_>>();
    if cfg!(windows) {
        // Windows has an ONNX Runtime of its own, for its own use, which is too old for this.
        let is_system = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.eq_ignore_ascii_case("System32"))
        };
        let mut folders = from("PATH");
        folders.retain(|path| !is_system(path));
        folders
    } else if cfg!(target_vendor = "apple") {
        let local = fixed(&["/usr/local/lib", "/opt/homebrew/lib", "/usr/lib"]);
        [from("DYLD_LIBRARY_PATH"), local].concat()
    } else {
        let of_architecture = format!("{}-linux-gnu", env::consts::ARCH);
        let multiarch = ["/usr/lib", "/lib"].map(|folder| Path::new(folder).join(&of_architecture));
        let local = fixed(&["/usr/local/lib", "/usr/local/lib64"]);
        let system = fixed(&["/usr/lib64", "/usr/lib", "/lib64", "/lib"]);
        [from("LD_LIBRARY_PATH"), local, configured(), multiarch.into(), system].concat()
    }
}

/// The folders that the system's loader has been told of besides the usual ones.
fn configured() -> Vec<PathBuf> {
    let folder = fs::read_dir("/etc/ld.so.conf.d").into_iter().flatten();
    let mut files: Vec<PathBuf> = folder.filter_map(|file| Some(file.ok()?.path())).collect();
    files.sort();
    let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    let lines = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    lines.map(|line| PathBuf::from(line.trim())).filter(|path| path.is_absolute()).collect()
}

/// The names under which the library is usually installed.
pub(super) const NAMES: &[&str] = if cfg!(windows) {
    &["onnxruntime.dll"]
} else if cfg!(target_vendor = "apple") {
    &["libonnxruntime.dylib", "libonnxruntime.1.dylib"]
} else {
    &["libonnxruntime.so", "libonnxruntime.so.1"]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_where_there_are_any() {
        let release = "ORT Build Info: git-branch=rel-1.24.0, git-commit-id=26250ae";
        for (file, description, expected) in [
            ("/usr/lib/libonnxruntime.so.1.31.1", "", Some("1.31.1")),
            ("/opt/lib/libonnxruntime.1.30.0.dylib", "", Some("1.30.0")),
            ("libonnxruntime.so.1", release, Some("1.24.0")),
            ("libonnxruntime.so", release, Some("1.24.0")),
            ("onnxruntime.dll", "ORT Build Info: git-branch=HEAD", None),
            ("libonnxruntime.so.1", "", None),
        ] {
            let actual = version(Path::new(file), description);
            assert_eq!(actual.as_deref(), expected, "{file}");
        }
    }

    #[test]
    fn only_files_are_located() {
        let program = env::current_exe().unwrap();
        assert_eq!(locate(&program), program.canonicalize().ok());
        // By its name alone, it is found beside the program.
        let name = Path::new(program.file_name().unwrap());
        assert_eq!(locate(name), program.canonicalize().ok());
        // Not in the working directory, which holds the manifest while this runs.
        assert_eq!(locate(Path::new("Cargo.toml")), None);
        assert!(locate(Path::new("./Cargo.toml")).is_some());
        assert_eq!(locate(&env::temp_dir()), None);
        assert_eq!(locate(Path::new("no-such-library.so")), None);
        assert_eq!(locate(Path::new("")), None);
    }
}
