//! Reads and draws every document of a folder, and says of each how many pages were drawn, how much text was
//! read, and, where a file `NAME.txt` in a second folder has what another program read, how many of its words
//! were read too and how many of ours it has.
//!
//! `cargo run --release --example documents -- FOLDER [FOLDER_OF_TEXTS [TARGET]]`: with a third folder, the text
//! and the screen renditions are written there.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for developers: it prints, and what goes wrong ends it"
)]

use std::{
    collections::HashMap,
    fs,
    io::Cursor,
    path::PathBuf,
    time::{Duration, Instant},
};

use heirloom_core::MediaKind;
use heirloom_media::{
    document::{Pages, TextLimits, read_text},
    picture::Limits,
    sniff,
};

fn main() {
    let mut args = std::env::args().skip(1).map(PathBuf::from);
    let folder = args.next().unwrap();
    let (others, target) = (args.next(), args.next());
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    let (mut all, mut read, mut drawn) = (0, 0, 0);
    let (mut wanted_words, mut own_words, mut shared_words) = (0, 0, 0);
    let (mut reading, mut drawing, mut pages_drawn) = (Duration::ZERO, Duration::ZERO, 0);
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = fs::read(&path).unwrap();
        let file_type = sniff(&mut Cursor::new(&bytes), &name).unwrap();
        if file_type.kind != MediaKind::Document {
            continue;
        }
        all += 1;
        let started = Instant::now();
        let text = read_text(
            bytes.clone(),
            file_type,
            1..=u32::MAX,
            &TextLimits::default(),
        );
        reading += started.elapsed();
        let mut line = format!("{name}: {}", file_type.name);
        match text {
            Ok(text) => {
                read += 1;
                let words: Vec<&str> = text.pages.iter().map(|page| page.text.as_str()).collect();
                let words = words.join("\n");
                line += &format!(
                    ", {} pages, {} characters",
                    text.count,
                    words.chars().count()
                );
                let other = others
                    .as_ref()
                    .map(|folder| folder.join(format!("{name}.txt")));
                if let Some(other) = other.and_then(|path| fs::read_to_string(path).ok()) {
                    let (other, own) = (count(&other), count(&words));
                    let shared: usize = other
                        .iter()
                        .map(|(word, times)| own.get(word).map_or(0, |own| *times.min(own)))
                        .sum();
                    let (wanted, had) =
                        (other.values().sum::<usize>(), own.values().sum::<usize>());
                    line += &format!(", {shared} of {wanted} words of the other, {had} of ours");
                    wanted_words += wanted;
                    own_words += had;
                    shared_words += shared;
                }
                for problem in &text.problems {
                    line += &format!(", {}", problem.what);
                }
                if let Some(target) = &target {
                    fs::write(target.join(format!("{name}.txt")), words).unwrap();
                }
            }
            Err(error) => line += &format!(", NOT READ: {error} {error:?}"),
        }
        let started = Instant::now();
        match Pages::open(bytes, file_type) {
            Ok(pages) => {
                let mut is_drawn = true;
                for page in 1..=pages.count().min(20) {
                    match pages.draw(page, &Limits::default()) {
                        Ok(rendered) => {
                            pages_drawn += 1;
                            if let Some(target) = &target {
                                let path = target.join(format!("{name}.{page}.jpg"));
                                fs::write(path, &rendered.renditions[1].bytes).unwrap();
                            }
                        }
                        Err(error) => {
                            is_drawn = false;
                            line += &format!(", page {page} NOT DRAWN: {error} {error:?}");
                        }
                    }
                }
                drawn += i32::from(is_drawn);
            }
            Err(error) => line += &format!(", NOT DRAWN: {error}"),
        }
        drawing += started.elapsed();
        println!("{line}, {} ms", started.elapsed().as_millis());
    }
    println!(
        "{read} of {all} were read in {} ms, {drawn} drawn",
        reading.as_millis()
    );
    println!(
        "{pages_drawn} pages were drawn in {} ms",
        drawing.as_millis()
    );
    println!(
        "{shared_words} of {wanted_words} words of the other, and of {own_words} of ours, are the same"
    );
}

/// How often each word is there, whatever stands around it.
fn count(text: &str) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        if !word.is_empty() {
            *words.entry(word.to_lowercase()).or_default() += 1;
        }
    }
    words
}
