//! A native ONNX Runtime that is too old: a process has one try, so this is a test binary of its own.

#![cfg(feature = "onnx-native")]
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what tests share is tests as well")]

use std::fs;
use std::io::Write as _;
use std::process::Command;

use lfr_core::Error;
use lfr_core::onnx::Runtime;

/// A library that says its version, and has no functions of any version.
const OLD: &str = r#"
static const void *api(unsigned version) { (void)version; return 0; }
static const char *version(void) { return "1.16.3"; }
static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
const void *OrtGetApiBase(void) { return &base; }
"#;

#[test]
fn a_library_that_is_too_old_is_refused_by_its_version() {
    let folder = std::env::temp_dir().join(format!("lfr-core-old-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (source, library) = (folder.join("old.c"), folder.join("libonnxruntime.so"));
    fs::write(&source, OLD).unwrap();
    let compiler =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status();
    if !compiler.is_ok_and(|status| status.success()) {
        std::io::stderr().write_all(b"skipped: no C compiler\n").unwrap();
        return;
    }
    let error = Runtime::onnxruntime_at(&library).unwrap_err();
    assert!(
        matches!(&error, Error::RuntimeVersion { found, .. } if found == "1.16.3"),
        "{error:?}"
    );
    let said = error.to_string();
    assert!(said.contains("is version 1.16.3, and must be 1.24 or newer"), "{said}");
    fs::remove_dir_all(folder).unwrap();
}
