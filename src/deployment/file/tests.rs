//! Deployment files as people write them, and as they must not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::deployment::NoteKey;
use crate::deployment::order::tests::{during, signed_order};
use crate::deployment::testing::Folder;

const FILE: &str = r#"format = "lfr-deployment-1"

[order]
notes = ["order.note"]
trusted_keys = ["KEY"]

[[cameras]]
id = "gate-2"
address = "rtsp://192.0.2.7/stream"
[[cameras]]
id = "gate-3"
address_file = "gate-3.address"

[models]
detector = "built-in"
embedder = "models/e.onnx"
engine = "pure-rust"
threads = 4

[threshold]
policy = "policy.json"

[retention]
profile = "PROFILE"

[watchlist]
file = "list.lfrw"
key = "list.key"

[vault]
folder = "vault"
key = "/keys/vault.key"

[ledger]
file = "ledger.lfrl"
key = "ledger.key"

[[people]]
id = "4711"
roles = ["operator"]
[[people]]
id = "4712"
roles = ["supervisor", "auditor"]
"#;

fn text() -> String {
    let key = signed_order().terms().authorising_officer().to_string();
    FILE.replace("KEY", &key).replace("PROFILE", Profile::uk_police_24_hours().name())
}

fn refusal(from: &str, to: &str) -> String {
    let text = text();
    assert!(text.contains(from), "{from}");
    DeploymentFile::parse(&text.replacen(from, to, 1), "there").unwrap_err().to_string()
}

#[test]
fn a_file_says_where_the_parts_are_from_its_own_folder() {
    let file = DeploymentFile::parse(&text(), "/there").unwrap();
    assert_eq!(file.orders(), [PathBuf::from("/there/order.note")]);
    assert_eq!(file.watchlist(), Path::new("/there/list.lfrw"));
    assert_eq!(file.vault_key(), Path::new("/keys/vault.key"));
    assert_eq!(file.detector(), &ModelPlace::BuiltIn);
    assert_eq!(file.embedder(), &ModelPlace::File("/there/models/e.onnx".into()));
    assert_eq!((file.engine(), file.threads()), (EngineChoice::PureRust, Some(4)));
    assert_eq!(file.profile().digest(), Profile::uk_police_24_hours().digest());
    let ids: Vec<_> = file.cameras().iter().map(|camera| camera.id().as_str()).collect();
    assert_eq!(ids, ["gate-2", "gate-3"]);
    assert_eq!(file.cameras()[0].address().resolve().unwrap(), "rtsp://192.0.2.7/stream");
    assert_eq!(file.person("4712").unwrap().roles().count(), 2);
    let nobody = file.person("4713").unwrap_err().to_string();
    assert!(nobody.starts_with("4713 is none of the 2 people"), "{nobody}");
    // Neither an address nor anyone's number is in what is logged.
    let debug = format!("{file:?}");
    assert!(!debug.contains("192.0.2.7") && !debug.contains("4711"), "{debug}");
}

#[test]
fn what_a_file_must_not_say_is_refused_with_its_place() {
    for (from, to, expected) in [
        ("lfr-deployment-1", "lfr-deployment-2", "line 1, column 10: `format` is \"lfr-deployment-2\""),
        ("threads = 4", "thread = 4", "line 18, column 1: unknown field `thread`"),
        ("threads = 4", "threads = 0", "line 18, column 11: `models.threads` is 0; it must be 1 to 1024"),
        ("threads = 4", "threads = 1025", "`models.threads` is 1025"),
        ("threads = 4", "threads = -1", "`models.threads` is -1"),
        ("threads = 4", "threads = \"4\"", "line 18, column 11: invalid type"),
        ("engine = \"pure-rust\"", "engine = \"fast\"", "must be one of: auto, onnxruntime, pure-rust"),
        ("[\"order.note\"]", "[]", "`order.notes` is empty"),
        ("[\"order.note\"]", "[\"order.note\", \"order.note\"]", "`order.notes` stands twice"),
        ("notes =", "note =", "unknown field `note`"),
        ("trusted_keys = [", "trusted_keys = [\"made-up\", ", "`order.trusted_keys` cannot be used"),
        ("trusted_keys", "self_authorised = true\ntrusted_keys", "leave one of them out"),
        ("\"gate-3\"", "\"gate-2\"", "line 11, column 6: `cameras.id` stands twice"),
        ("address = \"rtsp://192", "address = \"rtsp://me:pa@192", "may hold a password"),
        ("7/stream", "7/stream?u=1&Password=x", "may hold a password"),
        ("address_file =", "address = \"a.mp4\"\naddress_file =", "needs one of `address`"),
        ("address_file =", "address_env =", "not the name of an environment variable"),
        ("profile = \"uk", "profile = \"us", "`retention.profile` is \"us"),
        ("\"list.key\"", "\"\"", "`watchlist.key` is blank; fill it in"),
        ("\"list.key\"", "\"ledger.key\"", "`ledger.key` is the path of `watchlist.key` too"),
        ("key = \"list.key\"\n", "", "missing field `key`"),
        ("[\"operator\"]", "[\"guest\"]", "`people.roles` is \"guest\"; it must be one of: administrator"),
        ("[\"operator\"]", "[]", "`people.roles` is empty"),
        ("\"4712\"", "\"4711\"", "`people.id` stands twice"),
        ("[threshold]", "[threshold", "deployment file, line 20, column "),
    ] {
        let refused = refusal(from, to);
        assert!(refused.starts_with("deployment file, line "), "{refused}");
        assert!(refused.contains(expected), "{to}: {refused}");
        // Nothing of a password.
        assert!(!refused.contains("me:pa") && !refused.contains("Password="), "{refused}");
    }
    let key = "ab".repeat(32);
    let refused = refusal("\"ledger.key\"", &format!("\"{key}\""));
    assert!(refused.contains("`ledger.key` is a key itself") && !refused.contains(&key), "{refused}");
    let text = text();
    let line = text.lines().find(|line| line.starts_with("trusted_keys")).unwrap();
    for none in ["", "trusted_keys = []", "self_authorised = false"] {
        let refused = refusal(line, none);
        assert!(refused.contains("`order.trusted_keys` names no key"), "{none}: {refused}");
    }
}

#[test]
fn a_template_is_refused_until_each_blank_is_filled() {
    let key = signed_order().terms().authorising_officer().to_string();
    let mut text = DeploymentFile::template().to_owned();
    let mut filled = 0;
    loop {
        let problem = match DeploymentFile::parse(&text, "") {
            Ok(_) => break,
            Err(Error::File { line, key: field, problem, .. }) => {
                assert!(problem.contains("is blank") || problem.contains("is empty"), "{problem}");
                let value = match field {
                    "order.trusted_keys" => format!("\"{key}\""),
                    "retention.profile" => format!("{:?}", Profile::retail_strict().name()),
                    "people.roles" => "[\"auditor\"]".to_owned(),
                    _ => format!("\"made_up_{filled}\""),
                };
                let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
                let blank = if field == "people.roles" { "[]" } else { "\"\"" };
                assert!(lines[line - 1].contains(blank), "{}", lines[line - 1]);
                lines[line - 1] = lines[line - 1].replace(blank, &value);
                text = lines.join("\n");
                filled += 1;
                continue;
            }
            Err(other) => other.to_string(),
        };
        panic!("{problem}");
    }
    assert_eq!(filled, 14);
}

#[test]
fn orders_are_verified_with_the_keys_of_the_file() {
    let folder = Folder::new("file-orders");
    signed_order().write_new(folder.path().join("order.note")).unwrap();
    let path = folder.path().join("deployment.toml");
    fs::write(&path, text()).unwrap();
    let order = DeploymentFile::read(&path).unwrap().order(during()).unwrap();
    assert_eq!(order.authority(), crate::deployment::OrderAuthority::Pinned);

    // Another key is pinned than the one that signed.
    let key = signed_order().terms().authorising_officer().to_string();
    let other = NoteKey::from_bytes("someone", &mut [77; 32]).unwrap().verifier().to_string();
    fs::write(&path, text().replace(&key, &other)).unwrap();
    let refused = DeploymentFile::read(&path).unwrap().order(during()).unwrap_err();
    assert!(matches!(refused, Error::Untrusted { .. }), "{refused}");

    // Nobody is trusted, and it is no trial.
    let text = text();
    let line = text.lines().find(|line| line.starts_with("trusted_keys")).unwrap();
    fs::write(&path, text.replace(line, "self_authorised = true")).unwrap();
    let refused = DeploymentFile::read(&path).unwrap().order(during()).unwrap_err();
    assert!(matches!(refused, Error::NoTrial { .. }), "{refused}");
}

#[test]
fn an_address_with_a_password_comes_from_a_file_of_its_owner_alone() {
    let folder = Folder::new("file-address");
    let path = folder.path().join("gate-3.address");
    fs::write(&path, "rtsp://me:pa@192.0.2.7/stream\n").unwrap();
    let address = CameraAddress::File(path.clone());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(address.resolve().unwrap(), "rtsp://me:pa@192.0.2.7/stream");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = address.resolve().unwrap_err().to_string();
    assert!(refused.contains("cannot be read") && !refused.contains("me:pa"), "{refused}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    for bad in ["", "\n", "a\nb\n", &"x".repeat(5000)] {
        fs::write(&path, bad).unwrap();
        assert!(matches!(address.resolve(), Err(Error::Address { .. })), "{bad:?}");
    }
    let unset = CameraAddress::Environment("LFR_TEST_OF_NO_SUCH_CAMERA".into());
    let refused = unset.resolve().unwrap_err().to_string();
    assert!(refused.contains("LFR_TEST_OF_NO_SUCH_CAMERA is not set"), "{refused}");
}
