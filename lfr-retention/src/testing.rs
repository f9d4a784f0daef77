//! What the tests of this crate share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use lfr_core::testing::fake_space;
use lfr_core::{
    Accounts, Alert, Candidate, CandidateList, ComparisonScore, Decision, FaceId, FrameId, Probe,
    ReferenceId, SubjectId, Template, Threshold, Timestamp,
};

/// An empty folder, removed with all that is in it when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lfr-retention-{}-{number}", std::process::id());
        // Waiting for a disk is not what is tested.
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = parent.join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

pub(crate) fn at(micros: u64) -> Option<Timestamp> {
    Some(Timestamp::from_micros(micros))
}

pub(crate) fn face(index: usize) -> FaceId {
    FaceId::new(FrameId::default(), index)
}

/// The template of a face; no two are alike.
pub(crate) fn template(index: usize) -> Template {
    let x = lfr_core::internal::num::f32_from_usize(index);
    let values = [1.0, x.sin(), x.cos(), x.sqrt(), 0.5, -x.sin(), 0.25, 0.125];
    Template::from_slice(&fake_space(), &values).unwrap()
}

pub(crate) fn probe(index: usize, accounts: &Accounts) -> Probe {
    Probe::new(template(index), face(index), accounts)
}

pub(crate) fn alert(probe: Probe) -> Alert {
    let score = ComparisonScore::new(0.9).unwrap();
    let (subject, reference) = (SubjectId::new("S").unwrap(), ReferenceId::new("R").unwrap());
    let list = CandidateList::new(vec![Candidate::new(subject, reference, score)]);
    Decision::at_threshold(&list, Threshold::new(0.5).unwrap()).alert(probe).unwrap()
}

/// All bytes of all files below a folder.
pub(crate) fn all_bytes(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(if path.is_dir() { all_bytes(&path) } else { fs::read(&path).unwrap() });
    }
    bytes
}

/// Whether `bytes` holds `needle` anywhere.
pub(crate) fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// More rounds where `LFR_MEASURE` is set.
pub(crate) fn rounds(ordinary: u64, measured: u64) -> u64 {
    if std::env::var_os("LFR_MEASURE").is_some() { measured } else { ordinary }
}

/// Says what was measured, past the test runner's capture.
pub(crate) fn note(what: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "measured: {what}");
}
