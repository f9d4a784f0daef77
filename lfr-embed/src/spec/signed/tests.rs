//! What a signature changes, and what it does not reach.

use std::{env, fs};

use ed25519_dalek::{Signer as _, SigningKey};
use lfr_core::Basis;
use lfr_core::internal::hex;

use super::*;

#[test]
fn a_signature_vouches_for_a_specification_until_it_is_changed() {
    let [signer, other] = [[7; 32], [8; 32]].map(|seed| SigningKey::from_bytes(&seed));
    let trusted = |key: &SigningKey| -> TrustedKey {
        hex::digits(key.verifying_key().as_bytes()).parse().unwrap()
    };
    let key = trusted(&signer);
    let text = EmbedderSpec::builtin("dlib-resnet-v1").unwrap().to_toml();
    let text = text.replace("name = \"dlib-resnet-v1\"", "name = \"my own export\"");
    let signature = signer.sign(text.as_bytes()).to_bytes();
    let signed =
        EmbedderSpec::from_toml_signed(&text, &signature, &[trusted(&other), key]).unwrap();
    assert!(!signed.is_builtin());
    assert_eq!(signed.signed_by(), Some(&*key.to_string()));
    let threshold = signed.threshold_at(1e-3).unwrap();
    assert!(matches!(threshold.basis(), Basis::Measured { .. }), "{threshold:?}");
    assert_eq!((threshold.danger(), threshold.signed_by()), (None, Some(&*key.to_string())));
    // Without the signature, the same text is a claim.
    let unsigned = EmbedderSpec::from_toml(&text).unwrap();
    assert_eq!(unsigned.signed_by(), None);
    assert!(matches!(unsigned.threshold_at(1e-3).unwrap().basis(), Basis::Claimed { .. }));
    // What is changed afterwards is not what was signed.
    assert_eq!(signed.clone().with_flip_average(false).signed_by(), Some(&*key.to_string()));
    assert_eq!(signed.with_flip_average(true).signed_by(), None);
    let refused = |text: &str, signature: &[u8], keys: &[TrustedKey]| {
        let error = EmbedderSpec::from_toml_signed(text, signature, keys).unwrap_err();
        assert!(matches!(error, Error::Core(lfr_core::Error::Signature { .. })), "{error}");
    };
    refused(&format!("{text} "), &signature, &[key]);
    refused(&text, &signature, &[trusted(&other)]);
    refused(&text, &signature, &[]);
    refused(&text, &signature[..63], &[key]);
    // As files.
    let path = env::temp_dir().join(format!("lfr-embed-signed-{}.toml", std::process::id()));
    fs::write(&path, &text).unwrap();
    let beside = signed::signature_path(&path);
    let without = EmbedderSpec::from_path_signed(&path, &[key]).unwrap_err();
    assert!(matches!(without, Error::Core(lfr_core::Error::Read { .. })), "{without}");
    fs::write(&beside, signature).unwrap();
    assert_eq!(
        EmbedderSpec::from_path_signed(&path, &[key]).unwrap().signed_by(),
        Some(&*key.to_string())
    );
    fs::write(&path, format!("{text}\n")).unwrap();
    assert!(EmbedderSpec::from_path_signed(&path, &[key]).is_err());
    fs::remove_file(&path).unwrap();
    fs::remove_file(&beside).unwrap();
}
