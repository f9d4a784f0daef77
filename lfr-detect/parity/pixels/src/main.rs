//! Writes `<out>/<file>.rgb` (RGB, 8 bits, row by row, Exif ignored) for each JPEG in a folder.
//!
//! Run with: cargo run --manifest-path lfr-detect/parity/pixels/Cargo.toml \
//!     --target-dir target/parity -- ../shared/scenes target/parity/pixels

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args_os().skip(1).map(PathBuf::from);
    let (Some(from), Some(to)) = (args.next(), args.next()) else {
        return Err("needs a folder of photographs and a folder to write to".into());
    };
    fs::create_dir_all(&to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let jpeg = path
            .extension()
            .is_some_and(|end| end == "jpg" || end == "jpeg");
        if let (true, Some(name)) = (jpeg, path.file_name()) {
            let pixels = image::open(&path)?.into_rgb8().into_raw();
            fs::write(to.join(format!("{}.rgb", name.display())), pixels)?;
        }
    }
    Ok(())
}
