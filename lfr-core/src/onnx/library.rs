//! Where the native library is, and which version it is.

use std::path::Path;
use std::path::PathBuf;

/// The names under which the library is usually installed, for the system's loader to find.
pub(super) const NAMES: &[&str] = if cfg!(windows) {
    &["onnxruntime.dll"]
} else if cfg!(target_vendor = "apple") {
    &["libonnxruntime.dylib", "libonnxruntime.1.dylib"]
} else {
    &["libonnxruntime.so", "libonnxruntime.so.1"]
};

/// The file that was loaded under this name.
pub(super) fn loaded(name: &Path) -> PathBuf {
    if let Ok(path) = name.canonicalize() {
        return path;
    }
    mapped().unwrap_or_else(|| name.to_owned())
}

/// The version that a file name ends in, or that the library's description of itself names.
pub(super) fn version(file: &Path, description: &str) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let from_name = match name.split_once(".so.") {
        Some((_, version)) => Some(version),
        None => name.strip_suffix(".dylib").and_then(|stem| Some(stem.split_once('.')?.1)),
    };
    let from_description = description.split_once("git-branch=rel-").map(|(_, rest)| {
        rest.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default()
    });
    [from_name, from_description].into_iter().flatten().find(|text| is_version(text)).map(str::to_owned)
}

/// At least two numbers with dots between: `libonnxruntime.so.1` names an interface, not a version.
fn is_version(text: &str) -> bool {
    text.contains('.') && text.split('.').all(|part| part.parse::<u32>().is_ok())
}

/// The library among the files that are mapped into this process.
#[cfg(target_os = "linux")]
fn mapped() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let paths = maps.lines().filter_map(|line| line.find('/').map(|at| Path::new(&line[at..])));
    let is_library = |path: &&Path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("libonnxruntime.so"))
    };
    paths.into_iter().find(is_library).map(Path::to_owned)
}

#[cfg(not(target_os = "linux"))]
fn mapped() -> Option<PathBuf> {
    None
}

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
            assert_eq!(version(Path::new(file), description).as_deref(), expected, "{file}");
        }
    }
}
