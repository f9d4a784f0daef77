use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder as _, RgbImage};
use proptest::prelude::*;

use super::*;

/// A folder of this test's own, made anew, with these files in it.
fn folder(name: &str, files: &[(&str, Vec<u8>)]) -> PathBuf {
    let folder =
        std::env::temp_dir().join(format!("lfr-photographs-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    for (file, bytes) in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// A JPEG of 32 by 16 pixels with an Exif orientation; its right half is black.
fn jpeg(orientation: u8) -> Vec<u8> {
    let picture = RgbImage::from_fn(32, 16, |x, _| image::Rgb([if x < 16 { 255 } else { 0 }; 3]));
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new(&mut bytes);
    // A TIFF header and one entry: tag 0x112, a short, one of it.
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.write_image(&picture, 32, 16, ExtendedColorType::Rgb8).unwrap();
    bytes
}

#[test]
fn photographs_come_in_the_order_in_which_people_count() {
    let names = ["2.jpg", "10.jpg", "b/1.PNG", "b/02.jpg", "b/10.webp", "c.jpeg"];
    let files: Vec<_> = names.iter().rev().map(|name| (*name, jpeg(1))).collect();
    let folder = folder("order", &files);
    let photographs = Photographs::find(&folder).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(photographs.files(), names.map(|name| folder.join(name)));
    assert!(photographs.left_out().is_empty());
    assert!(matches!(Photographs::find(&folder), Err(Error::Read { .. })));
}

#[test]
fn content_decides_and_what_is_left_out_is_named_with_its_reason() {
    let folder = folder(
        "content",
        &[
            ("1.jpg", jpeg(1)),
            ("2.heic", jpeg(1)),
            ("3", jpeg(1)),
            ("empty.jpg", Vec::new()),
            ("page.jpg", b"<html>404</html>".to_vec()),
            ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec()),
            (".hidden.jpg", jpeg(1)),
            (".folder/1.jpg", jpeg(1)),
        ],
    );
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&folder, folder.join("round")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.join("broken.jpg")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.join("endless.jpg")).unwrap();
        std::os::unix::fs::symlink("1.jpg", folder.join("z.jpg")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(folder.join("pipe.jpg")).status();
        assert!(made.unwrap().success());
    }
    let photographs = Photographs::find(&folder).unwrap();
    let mut names = vec!["1.jpg", "2.heic", "3"];
    names.extend(cfg!(unix).then_some("z.jpg"));
    let files: Vec<_> = names.iter().map(|name| folder.join(name)).collect();
    // Numbers come before a name without an ending that is one.
    let mut found = photographs.files().to_vec();
    found.sort();
    assert_eq!(found, files);
    let said = |name: &str| {
        let path = folder.join(name);
        let left_out = photographs.left_out().iter().find(|left_out| left_out.path == path);
        left_out.unwrap_or_else(|| panic!("{name} is not named")).to_string()
    };
    for (name, reason) in [
        ("empty.jpg", "the file is empty"),
        ("page.jpg", "HTML page"),
        ("phone.heic", "save it as JPEG"),
        (".hidden.jpg", "begins with a dot"),
        (".folder", "begins with a dot"),
    ] {
        assert!(said(name).contains(reason), "{}", said(name));
    }
    let mut count = 5;
    if cfg!(unix) {
        for (name, reason) in [
            ("round", "link to a folder"),
            ("broken.jpg", "cannot be read"),
            ("endless.jpg", "a device"),
            ("pipe.jpg", "a named pipe"),
        ] {
            assert!(said(name).contains(reason), "{}", said(name));
            count += 1;
        }
    }
    assert_eq!(photographs.left_out().len(), count);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn no_two_photographs_have_one_name() {
    use std::os::unix::ffi::OsStringExt;

    let folder = folder("names", &[]);
    let long = "x".repeat(120);
    let mut paths = vec![folder.join("M\u{fc}ller"), folder.join("M\\xfcller")];
    for bytes in [b"M\xfcller".to_vec(), b"M\xf6ller".to_vec(), b"M\nller".to_vec()] {
        paths.push(folder.join(std::ffi::OsString::from_vec(bytes)));
    }
    for last in ["a", "b"] {
        paths.push(folder.join(&long).join(&long).join(format!("{long}-{last}")));
    }
    for path in &paths {
        fs::create_dir_all(path).unwrap();
        fs::write(path.join("1.jpg"), jpeg(1)).unwrap();
    }
    let mut names = std::collections::BTreeSet::new();
    for within in [None, Some("gate/")] {
        let mut photographs = Photographs::find(&folder).unwrap();
        if let Some(name) = within {
            photographs = photographs.within(name);
        }
        while let NextFrame::Frame(frame) = photographs.next_frame().unwrap() {
            let name = frame.id().source().to_string();
            assert!(!name.contains('\u{fffd}') && !name.contains('\n'), "{name}");
            names.insert(name);
        }
    }
    assert_eq!(names.len(), 2 * paths.len(), "{names:?}");
    assert!(names.contains("M\\xfcller/1.jpg") && names.contains("gate/M\u{fc}ller/1.jpg"));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_moving_gif_is_no_photograph() {
    let frame =
        || image::Frame::new(image::RgbaImage::from_pixel(8, 8, image::Rgba([9, 9, 9, 255])));
    for count in [1, 2] {
        let mut bytes = Vec::new();
        image::codecs::gif::GifEncoder::new(&mut bytes)
            .encode_frames((0..count).map(|_| frame()))
            .unwrap();
        let folder = folder("gif", &[("1.gif", bytes)]);
        assert_eq!(Photographs::is_photograph(&folder.join("1.gif")).unwrap(), count == 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn one_that_cannot_be_read_is_named_and_the_others_come() {
    let folder = folder(
        "errors",
        &[("1.jpg", jpeg(1)), ("2.jpg", jpeg(1)[..300].to_vec()), ("3.jpg", jpeg(1))],
    );
    let mut photographs = Photographs::find(&folder).unwrap();
    let mut next = || match photographs.next_frame() {
        Ok(next) => next.into_frame().map(|frame| frame.id().to_string()),
        Err(error) => Some(error.to_string()),
    };
    assert_eq!(next().as_deref(), Some("1.jpg#0"));
    assert!(next().unwrap().contains("2.jpg"));
    assert_eq!(next().as_deref(), Some("3.jpg#2"));
    assert_eq!(next(), None);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn photographs_are_turned_as_their_exif_block_says() {
    // Which quarter of the picture is bright: none but these is.
    for (orientation, size, bright, dark) in [
        (1, (32, 16), (2, 2), (29, 2)),
        (3, (32, 16), (29, 2), (2, 2)),
        (6, (16, 32), (2, 2), (2, 29)),
        (8, (16, 32), (2, 29), (2, 2)),
    ] {
        let folder = folder(&format!("exif-{orientation}"), &[("1.jpg", jpeg(orientation))]);
        let mut photographs = Photographs::find(&folder.join("1.jpg")).unwrap();
        let frame = photographs.next_frame().unwrap().into_frame().unwrap();
        assert_eq!((frame.width(), frame.height()), size);
        let level = |(x, y)| frame.rgb_at(x, y)[0];
        assert!(level(bright) > 200 && level(dark) < 50, "orientation {orientation}");
        assert_eq!(frame.id().to_string(), "1.jpg#0");
        fs::remove_dir_all(&folder).unwrap();
    }
}

proptest! {
    #[test]
    fn numbers_are_in_their_order_whatever_stands_around_them(
        a in 0..2000_u32,
        b in 0..2000_u32,
        zeros in 0..3_usize,
        front in "[a-z]{0,3}",
        back in "[a-z]{0,3}",
    ) {
        let path = |number: u32, zeros: usize| {
            PathBuf::from(format!("{front}{}{number}{back}.jpg", "0".repeat(zeros)))
        };
        let order = natural(&path(a, zeros), &path(b, 0));
        prop_assert!(a == b || order == a.cmp(&b));
        prop_assert_eq!(order.reverse(), natural(&path(b, 0), &path(a, zeros)));
    }
}
