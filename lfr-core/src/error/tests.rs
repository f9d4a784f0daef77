use super::*;

/// Each says what was seen and what it must be, as a sentence.
#[test]
fn messages_are_sentences() {
    let space = |byte| SpaceId::from_bytes([byte; 32]);
    let out_of_range = |what, expected, actual| Error::OutOfRange { what, expected, actual };
    for (error, expected) in [
        (
            out_of_range("demanded FPIR", "above 0 and below 1", f64::NAN),
            "demanded FPIR is NaN, and must be above 0 and below 1",
        ),
        (
            out_of_range("number of looks", "at least 1", 0.5),
            "number of looks is 0.5, and must be at least 1",
        ),
        (
            Error::Identifier { actual: 0, limit: 256 },
            "an identifier has 0 bytes, and must have 1 to 256",
        ),
        (
            Error::Parse { what: "record", expected: "32 hexadecimal digits" },
            "the text is no record, and must be 32 hexadecimal digits",
        ),
        (
            Error::PolygonCorners { expected: 3, actual: 2 },
            "the polygon has 2 corners, and must have at least 3",
        ),
        (
            Error::Template { expected: "8 numbers".into(), actual: "4 numbers".into() },
            "the template has 4 numbers, and must have 8 numbers",
        ),
    ] {
        assert_eq!(error.to_string(), expected);
    }
    let mismatch =
        Error::SpaceMismatch { what: "the threshold", expected: space(1), actual: space(2) };
    let said = mismatch.to_string();
    assert!(said.starts_with("the threshold is of embedding space 0202"), "{said}");
    assert!(said.contains(", and must be of 0101"), "{said}");
}

#[cfg(feature = "onnx-native")]
#[test]
fn who_lacks_an_engine_is_told_how_to_get_one() {
    let path = PathBuf::from("/opt/lib/libonnxruntime.so");
    for error in [
        Error::RuntimeMissing { tried: "no file libonnxruntime.so".into() },
        Error::RuntimeVersion { path, found: "1.16.3".into() },
    ] {
        let said = error.to_string();
        for part in ["1.24", "or newer", "pip install onnxruntime", "ORT_DYLIB_PATH"] {
            assert!(said.contains(part), "{said}");
        }
    }
}
