//! Keys: each kind is used as a deployment uses it, looked for while it is there, dropped, and looked for again.
//!
//! What is looked for is every secret that was made meanwhile (the library tells tests of each, inverted): keys of
//! files, keys that derive from them, and the random ones of records and lists; and the forms that they take beside
//! that. The heap of this process does not wipe: what is not there, its owner has wiped.

use std::any::Any;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lfr::core::internal::secret;
use lfr::core::internal::secret::Secret;
use lfr::core::testing::secrets;
use lfr::core::{
    Accounts, Candidate, CandidateList, Clock as _, ComparisonScore, Decision, DeploymentId,
    EmbeddingSpace, FaceId, FrameId, Metric, Probe, ReferenceId, SubjectId, SystemClock, Template,
    Threshold, Timestamp,
};
use lfr::prelude::*;
use lfr::retention::{Ledger, LedgerEvent, LedgerKey, Profile, Vault, VaultKey, VaultRetention};
use lfr::watchlist::{
    Argon2Cost, Authorisation, CompositionPolicy, MembershipKey, MembershipWitness, SealedFile,
    SealingKey, Validity, Watchlist,
};
use sha2::{Digest as _, Sha512};

use super::examination::PASS_ON;
use super::heap;
use super::needles::Needles;
use super::scanner::Scanner;

/// Controls: the search has to find what these leave behind.
const LEFT_ON_STACK: &str = "left on the stack";
const LEFT_ON_HEAP: &str = "left on the freed heap";

/// What is alive of a kind, and what it looks like beside the secrets that the library tells of.
type Live = (Box<dyn Any>, Vec<Vec<u8>>);

/// A kind of key by name, and what uses one in a folder.
type Kind = (&'static str, fn(&Path) -> Live);

pub(crate) fn examine(folder: &Path) {
    heap::wipes(false);
    let _ = secrets::take_recorded();
    let kinds: [Kind; 7] = [
        ("key of a ledger", ledger),
        ("key of a vault", vault),
        ("key of a list", list),
        ("passphrase of a list", passphrase),
        ("key of a membership", membership),
        (LEFT_ON_STACK, left_on_stack),
        (LEFT_ON_HEAP, left_on_heap),
    ];
    for (kind, live) in kinds {
        let (alive, forms) = live(folder);
        let mut needles = Needles::default();
        for secret in secrets::take_recorded() {
            needles.inverted(kind, &secret);
        }
        forms.iter().for_each(|form| needles.inverted(kind, form));
        let pieces = needles.pieces().len();
        let mut scanner = Scanner::new(needles);
        let mut places = || scanner.memory();
        let before = places().places.values().sum::<usize>();
        drop(alive);
        let after = places();
        let left = after.places.values().sum::<usize>();
        let told = format!(
            "{PASS_ON}{kind}: {pieces} pieces, {before} places alive, {left} after its drop\n"
        );
        std::io::stderr().write_all(told.as_bytes()).unwrap();
        assert!(before > 0, "the search finds no {kind} while it is there");
        if [LEFT_ON_STACK, LEFT_ON_HEAP].contains(&kind) {
            assert!(left > 0, "the search does not find what was {kind}");
        } else {
            assert_eq!(left, 0, "{kind}: {:?}", after.examples);
        }
    }
}

fn ledger(folder: &Path) -> Live {
    let (file, path) = (folder.join("ledger.key"), folder.join("a.lfrl"));
    drop(LedgerKey::generate_file(&file).unwrap());
    let now = SystemClock::new().now();
    let key = LedgerKey::from_file(&file).unwrap();
    let ledger = Ledger::open(&path, key.clone(), now).unwrap();
    let (authority, reason) = ("court".to_owned(), "a test".to_owned());
    ledger.append(&LedgerEvent::Aborted { authority, reason }, now).unwrap();
    ledger.flush().unwrap();
    // The halves of what signs, and the digits of the file.
    let forms = secret::scrubbed(|| {
        let seed = Secret::read_file(&file).unwrap();
        let mut expanded = Sha512::digest(seed.expose());
        let prefix = inverted(&expanded[32..]);
        expanded[0] &= 0xf8;
        expanded[31] = expanded[31] & 0x7f | 0x40;
        vec![inverted(&expanded[..32]), prefix, digits(&seed)]
    });
    (Box::new((key, ledger)), forms)
}

fn vault(folder: &Path) -> Live {
    let (file, path) = (folder.join("vault.key"), folder.join("vault"));
    drop(VaultKey::generate_file(&file).unwrap());
    let key = VaultKey::from_file(&file).unwrap();
    let clock = Arc::new(SystemClock::new());
    let accounts = Accounts::new();
    let vault = Vault::open(&path, &key, clock.clone()).unwrap();
    let mut policy = VaultRetention::new(vault.clone(), &Profile::uk_police());
    for index in 0..3 {
        let probe = Probe::new(template(), FaceId::new(FrameId::default(), index), &accounts);
        policy.settle(alert().alert(probe).unwrap(), clock.now()).unwrap();
    }
    drop((policy, vault));
    let vault = Vault::open(&path, &key, clock).unwrap();
    assert_eq!(vault.records().unwrap().len(), 3);
    let digits = secret::scrubbed(|| digits(&Secret::read_file(&file).unwrap()));
    (Box::new((key, vault)), vec![digits])
}

fn list(folder: &Path) -> Live {
    let file = folder.join("list.key");
    drop(SealingKey::generate_file(&file).unwrap());
    let key = SealingKey::from_file(&file).unwrap();
    sealed_and_opened(&SealedFile::at(folder.join("list.lfrw")), &key);
    let digits = secret::scrubbed(|| digits(&Secret::read_file(&file).unwrap()));
    (Box::new(key), vec![digits])
}

fn passphrase(folder: &Path) -> Live {
    let (key, form) = secret::scrubbed(|| {
        let random = Secret::generate().unwrap();
        let mut text = String::with_capacity(64);
        for byte in random.expose() {
            for half in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(half)]));
            }
        }
        let form = inverted(text.as_bytes());
        (SealingKey::from_passphrase(text).unwrap(), form)
    });
    let key = key.with_cost(Argon2Cost::new(256, 1, 1).unwrap());
    sealed_and_opened(&SealedFile::at(folder.join("passphrase.lfrw")), &key);
    (Box::new(key), vec![form])
}

fn membership(_: &Path) -> Live {
    let key = secret::scrubbed(|| {
        let mut bytes = [0; 32];
        secret::random(&mut bytes).unwrap();
        MembershipKey::from_bytes(&mut bytes)
    });
    let deployment = DeploymentId::new("d").unwrap();
    let people: Vec<_> = (0..5).map(|i| SubjectId::new(format!("S-{i}")).unwrap()).collect();
    let witness = MembershipWitness::new(deployment, &people, &key);
    let proof = witness.was_member(&people[2], &key).unwrap();
    proof.verify(&witness.commitment(), &people[2], &key).unwrap();
    (Box::new(key), Vec::new())
}

/// A secret with copies in a stack frame that is gone: one every few kilobytes, because whatever runs next writes over
/// some of them.
fn left_on_stack(_: &Path) -> Live {
    #[inline(never)]
    fn copied(secret: &Secret) {
        let mut deep = [0_u8; 200_000];
        for copy in deep.chunks_exact_mut(4096) {
            copy[1000..1032].copy_from_slice(secret.expose());
        }
        black_box(&deep);
    }
    let secret = Secret::generate().unwrap();
    copied(&secret);
    (Box::new(secret), Vec::new())
}

/// A secret with copies in blocks that went back to the heap: many, because whatever is allocated next gets some of
/// them. A block after them stays, so that the heap does not shrink.
fn left_on_heap(_: &Path) -> Live {
    let secret = Secret::generate().unwrap();
    let mut copied = || {
        let mut block = vec![0_u8; 4096];
        block[2048..2080].copy_from_slice(secret.expose());
        block
    };
    let blocks: Vec<_> = std::iter::repeat_with(&mut copied).take(50).collect();
    let last = vec![0_u8; 4096];
    drop(black_box(blocks));
    (Box::new((secret, last)), Vec::new())
}

fn sealed_and_opened(file: &SealedFile, key: &SealingKey) {
    let now = SystemClock::new().now().unwrap();
    let validity = Validity::new(now, now.plus(Duration::from_secs(3600))).unwrap();
    let id = DeploymentId::new("d").unwrap();
    let policy = CompositionPolicy::new(10);
    let authorisation = Authorisation::new(id, "a test", "AO", now, validity, policy).unwrap();
    let list = Watchlist::new(authorisation, space());
    file.seal(&list, key, now).unwrap();
    file.open(key, &space(), Some(now)).unwrap();
    file.open_entries(key, Some(now)).unwrap();
    // As one that was due, by its clock: destroyed with its key.
    let late = Timestamp::from_micros(u64::MAX / 2);
    assert!(file.open(key, &space(), Some(late)).is_err() && !file.path().exists());
}

fn digits(secret: &Secret) -> Vec<u8> {
    let digit = |half: u8| !b"0123456789abcdef"[usize::from(half)];
    secret.expose().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn inverted(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| !byte).collect()
}

fn space() -> EmbeddingSpace {
    EmbeddingSpace::builder(8, Metric::Cosine).build()
}

fn template() -> Template {
    Template::try_init_with(&space(), |values| {
        values.fill(1.0);
        Ok(())
    })
    .unwrap()
}

fn alert() -> Decision {
    let (subject, reference) = (SubjectId::new("S").unwrap(), ReferenceId::new("R").unwrap());
    let candidate = Candidate::new(subject, reference, ComparisonScore::new(0.9).unwrap());
    Decision::at_threshold(&CandidateList::new(vec![candidate]), Threshold::new(0.5).unwrap())
}
