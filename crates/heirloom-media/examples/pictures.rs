//! Draws every picture of a folder, and says of each type how many could be drawn and why others could not.
//!
//! `cargo run --release --example pictures -- FOLDER [TARGET]`: with a second folder, the screen renditions
//! are written there.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for developers: it prints, and what goes wrong ends it"
)]

use std::{collections::BTreeMap, fs, io::Cursor, path::PathBuf, time::Instant};

use heirloom_core::MediaKind;
use heirloom_media::{
    picture::{Limits, RenditionKind, render},
    sniff,
};

fn main() {
    let mut args = std::env::args().skip(1).map(PathBuf::from);
    let folder = args.next().unwrap();
    let target = args.next();
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    let mut drawn: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = fs::read(&path).unwrap();
        let file_type = sniff(&mut Cursor::new(&bytes), &name).unwrap();
        if file_type.kind != MediaKind::Image {
            continue;
        }
        let counts = drawn.entry(file_type.name).or_default();
        counts.1 += 1;
        let started = Instant::now();
        match render(&bytes, file_type, &Limits::default()) {
            Ok(rendered) => {
                counts.0 += 1;
                let problems: Vec<&str> = rendered
                    .problems
                    .iter()
                    .map(|problem| problem.what.as_str())
                    .collect();
                println!(
                    "{name}: {} {} × {}{}, {} ms {problems:?}",
                    file_type.name,
                    rendered.width,
                    rendered.height,
                    if rendered.is_animated { ", plays" } else { "" },
                    started.elapsed().as_millis()
                );
                if let Some(target) = &target {
                    for rendition in rendered.renditions {
                        let end = match rendition.kind {
                            RenditionKind::Grid => "grid.webp",
                            RenditionKind::Screen => "screen.jpg",
                            RenditionKind::Full if rendition.media_type == "image/webp" => {
                                "full.webp"
                            }
                            RenditionKind::Full => "full.jpg",
                        };
                        fs::write(target.join(format!("{name}.{end}")), rendition.bytes).unwrap();
                    }
                }
            }
            Err(error) => println!("{name}: {} NOT DRAWN: {error} {error:?}", file_type.name),
        }
    }
    for (name, (drawn, all)) in drawn {
        println!("{name:24} {drawn:4} of {all:4}");
    }
}
