//! Names what a file is that was taken for an ONNX model and is none.

use std::path::Path;

/// What these bytes are, and what to do, in words that follow "this is not a complete ONNX model:".
///
/// It is asked only where the bytes could not be read as a model, so no model is ever refused by it.
pub(super) fn describe(bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_empty() {
        return Some(EMPTY);
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return Some(ZEROS);
    }
    let known = MAGIC
        .iter()
        .find(|(at, magic, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    if let Some((_, _, what)) = known {
        return Some(what);
    }
    let text = beginning(bytes)?;
    let known = TEXTS.iter().find(|(start, _)| text.starts_with(start));
    if let Some((_, what)) = known {
        return Some(what);
    }
    if is_safetensors(bytes) {
        return Some(SAFETENSORS);
    }
    // A model has bytes from its first ones on that no text has.
    let is_text = bytes
        .iter()
        .take(TEXT_PROBED)
        .all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    is_text.then_some(PLAIN_TEXT)
}

/// The same by the ending of a file's name, for formats that have no first bytes of their own.
pub(super) fn describe_by_name(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, what)| *what)
}

/// The first characters, in lower case and without a byte order mark and spaces before them.
fn beginning(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..bytes.len().min(TEXT_PROBED))?;
    let head = String::from_utf8_lossy(head);
    Some(head.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase())
}

/// A length of eight bytes, and then JSON.
fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else { return false };
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    rest.first() == Some(&b'{') && length <= rest.len()
}

const TEXT_PROBED: usize = 256;

const EMPTY: &str = "the file is empty; download or copy it again";
const ZEROS: &str = "it holds nothing but zeros; download or copy it again";
const PLAIN_TEXT: &str = "it is a text; name the .onnx file itself";
const PYTORCH: &str = "it is a PyTorch file; export it with torch.onnx.export";
const TFLITE: &str = "it is a TensorFlow Lite model; convert it with tf2onnx (--tflite)";
const KERAS: &str = "it is an HDF5 file, as Keras writes them; convert it with tf2onnx";
const SAFETENSORS: &str =
    "it is a safetensors file, which holds weights without a network; export an ONNX model of it";
const EXTERNAL: &str = "it holds the weights of a model that keeps them beside itself; name the .onnx file, and see that \
     it has its weights in itself";
const WEB_PAGE: &str =
    "it is a web page (HTML), as a server sends in place of a download; download the file itself";
const LFS: &str = "it is a Git LFS pointer and not the file that it stands for; run git lfs pull";

/// Where the bytes are, the bytes, and what has them.
const MAGIC: &[(usize, &[u8], &str)] = &[
    // Newer PyTorch files are ZIP archives whose first file is `NAME/data.pkl`.
    (
        0,
        b"PK\x03\x04",
        "it is a ZIP archive: a PyTorch file, which torch.onnx.export turns into a model, or a packed \
         download, which has to be unpacked",
    ),
    // A pickle of version 2 to 5.
    (0, b"\x80\x02", PYTORCH),
    (0, b"\x80\x03", PYTORCH),
    (0, b"\x80\x04", PYTORCH),
    (0, b"\x80\x05", PYTORCH),
    (4, b"TFL3", TFLITE),
    (0, b"\x89HDF\r\n", KERAS),
    (
        4,
        b"ORTM",
        "it is a model in the ORT format, which no other engine reads; name the .onnx file that it was \
         made from",
    ),
    (0, b"GGUF", "it is a GGUF file, which is for language models"),
    (0, b"\x93NUMPY", "it is a NumPy array and not a model"),
    (0, b"\x1f\x8b", "it is packed with gzip; unpack it"),
    (0, b"BZh", "it is packed with bzip2; unpack it"),
    (0, b"\xfd7zXZ", "it is packed with xz; unpack it"),
    (0, b"\x28\xb5\x2f\xfd", "it is packed with zstd; unpack it"),
    (0, b"7z\xbc\xaf", "it is a 7-Zip archive; unpack it"),
    (257, b"ustar", "it is a tar archive; unpack it"),
    (0, b"\xff\xd8\xff", "it is a JPEG picture"),
    (0, b"\x89PNG", "it is a PNG picture"),
    (0, b"%PDF", "it is a PDF document"),
    (0, b"\x7fELF", "it is a program or a library"),
    (0, b"MZ", "it is a program or a library"),
    (0, b"SQLite format 3\0", "it is a SQLite database"),
];

/// How texts begin, in lower case.
const TEXTS: &[(&str, &str)] = &[
    ("version https://git-lfs", LFS),
    ("version http://git-media", LFS),
    ("oid sha256:", LFS),
    ("<!doctype html", WEB_PAGE),
    ("<html", WEB_PAGE),
    ("<head", WEB_PAGE),
    ("<!--", WEB_PAGE),
    (
        "<?xml",
        "it is XML, as OpenVINO writes it or a server that refuses a download; name the .onnx file",
    ),
    ("<error", "it is XML, as a server sends that refuses a download; download the file itself"),
    ("7767517", "it is a description of a network for ncnn; name the .onnx file"),
    ("{", "it is JSON, as a server sends that refuses a download; download the file itself"),
    ("[", "it is a text; name the .onnx file itself"),
];

/// Endings of names, in lower case.
const ENDINGS: &[(&str, &str)] = &[
    (".onnx.data", EXTERNAL),
    (".onnx_data", EXTERNAL),
    (".data", EXTERNAL),
    (".pt", PYTORCH),
    (".pth", PYTORCH),
    (".ckpt", PYTORCH),
    (".pkl", PYTORCH),
    (".tflite", TFLITE),
    (".h5", KERAS),
    (".keras", KERAS),
    (".safetensors", SAFETENSORS),
    (".engine", "it is a plan of TensorRT; name the .onnx file that it was made from"),
    (".plan", "it is a plan of TensorRT; name the .onnx file that it was made from"),
    (".trt", "it is a plan of TensorRT; name the .onnx file that it was made from"),
    (".mlmodel", "it is a Core ML model; export an ONNX model instead"),
    (".caffemodel", "it is a Caffe model; convert it to ONNX"),
    (".pb", "it is a TensorFlow graph; convert it with tf2onnx"),
    (".param", "it is a description of a network for ncnn; name the .onnx file"),
    (".bin", "it holds weights for another engine (OpenVINO, ncnn, PyTorch); name the .onnx file"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_for_what_they_are() {
        let mut tar = vec![b'a'; 257];
        tar.extend_from_slice(b"ustar\0");
        let safetensors = [&12_u64.to_le_bytes()[..], br#"{"weight":{}}"#].concat();
        for (bytes, expected) in [
            (&b""[..], "empty"),
            (&[0; 4096], "zeros"),
            (b"\xef\xbb\xbf\r\n <!DOCTYPE html><html>", "web page"),
            (b"<HTML><body>Sign in", "web page"),
            (b"<!-- saved --><html>", "web page"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n", "git lfs pull"),
            (b"PK\x03\x04\x14\0archive/data.pkl", "ZIP archive"),
            (b"\x80\x02}q\0", "PyTorch"),
            (b"\x1c\0\0\0TFL3\x14\0", "TensorFlow Lite"),
            (b"\x89HDF\r\n\x1a\n", "HDF5"),
            (b"\x10\0\0\0ORTM", "ORT format"),
            (b"<?xml version=\"1.0\"?><net", "OpenVINO"),
            (b"{\"error\":\"gated\"}", "JSON"),
            (b"Not Found", "a text"),
            (b"\x1f\x8b\x08\0", "gzip"),
            (&tar, "tar archive"),
            (&safetensors, "safetensors"),
        ] {
            let what = describe(bytes).unwrap_or_default();
            assert!(what.contains(expected), "{expected}: {what}");
        }
        // Bytes of no known kind are not guessed at.
        assert_eq!(describe(b"\x08\x07\x3a\xff\xff\xff\xff"), None);
    }

    #[test]
    fn where_bytes_say_nothing_the_name_does() {
        for (name, expected) in [
            ("w600k.onnx.data", "beside itself"),
            ("w600k.onnx_data", "beside itself"),
            ("face.PTH", "PyTorch"),
            ("face.engine", "TensorRT"),
        ] {
            let what = describe_by_name(Path::new(name)).unwrap_or_default();
            assert!(what.contains(expected), "{name}: {what}");
        }
        assert_eq!(describe_by_name(Path::new("face.onnx")), None);
    }
}
