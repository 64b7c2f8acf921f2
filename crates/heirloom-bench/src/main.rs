//! Measures Heirloom: `bench [SUBJECT…] [OPTION…]`.
//!
//! The program itself is measured, over its command line and over HTTP, as people meet it. Figures are
//! printed beside their limit and, where there is one, beside a peer that does the same in the same
//! run; a figure that misses its limit is marked. Nothing here is a test: what a machine manages is no
//! fact about the code. Every subject makes its own input, the same each time, so that figures of two
//! days can be compared.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a program for developers: it prints, and what goes wrong ends it"
)]

mod backup;
mod blobs;
mod catalogue;
mod chance;
mod duplicates;
mod faces;
mod figures;
mod films;
mod hash;
mod library;
mod like;
mod live;
mod map;
mod metadata;
mod options;
mod people;
mod reading;
mod renditions;
mod runs;
mod scan;
mod search;
mod serve;
mod served;
mod speakers;
mod tags;
mod timeline;
mod transcribe;
mod voices;
mod words;

use options::Options;

const USAGE: &str = "usage: bench [SUBJECT…] [OPTION…]

subjects (all of them, if none is named)
  hash        reading large originals, beside b3sum
  metadata    metadata of photographs, beside exiftool -fast
  renditions  what is shown of photographs of 12 megapixels, beside vipsthumbnail
  runs        units a second, what a run costs that finds nothing to do, the first artifact
  blobs       putting and getting what was derived, beside plain files
  rescan      a scan where nothing changed
  scan        a first scan: memory, and whether the last file costs what the first does
  search      pages of queries over HTTP, on a seeded catalogue
  timeline    how much there is of each time, and any part of it, on that catalogue
  map         views of the map and lists of places over HTTP, on the same catalogue
  serve       an idle server on that catalogue, and how soon it answers
  backup      backups and what comes back of them, beside restic, and the scrub
  speakers    who speaks when in conversations of readers; --data FOLDER has a folder for each reader
  voices      finding a voice in all other recordings of a library
  faces       whose faces are in pictures; --data FOLDER has a manifest.json with who is in which
  people      gathering 100,000 faces, and listing and naming whose they are
  like        finding what looks like a picture among 10,000 and 100,000 others
  duplicates  what there is twice, beside a plain perceptual hash, and comparing 100,000 pictures; --data FOLDER has a
              manifest.json with the truth
  tags        what pictures show; --data FOLDER has a manifest.json with the truth
  films       what is seen in films; --data FOLDER has a manifest.json with the truth
  reading     what stands on pages, beside tesseract; --data FOLDER has a manifest.json with the truth
  transcribe  what is said in recordings, beside faster-whisper; --data FOLDER has a manifest.json with the truth
  live        what is said while it is said, over a WebSocket, as it would be spoken; --data as for transcribe

options
  --files N         how many files to scan first (1000000)
  --rescanned N     how many files to scan again or to back up (100000)
  --assets N        how many assets to seed (1000000)
  --audiences N     how many audiences these are spread over (1)
  --minutes N       how long the long recording is that is written down (60)
  --postgres        runs, search, timeline, map, serve, voices, people and like with a PostgreSQL of its own instead of SQLite
  --only CLASS      search only with the classes of queries whose names contain this; of speakers, only whether a voice
                    is known again: recordings
  --data FOLDER     keep the seeded data folder here, or measure the one that is here
  --place FOLDER    where files are made (the system's temporary folder)";

#[tokio::main]
async fn main() {
    if std::env::args().any(|arg| arg == "--help") {
        println!("{USAGE}");
        return;
    }
    let refuse = |problem: String| -> ! {
        eprintln!("{problem}\n\n{USAGE}");
        std::process::exit(2)
    };
    let options =
        Options::parse(std::env::args().skip(1)).unwrap_or_else(|problem| refuse(problem));
    for subject in &options.subjects {
        match subject.as_str() {
            "hash" => hash::measure(&options),
            "metadata" => metadata::measure(&options),
            "renditions" => renditions::measure(&options),
            "runs" => runs::measure(&options).await,
            "blobs" => blobs::measure(&options).await,
            "rescan" => scan::measure_again(&options).await,
            "scan" => scan::measure_first(&options).await,
            "search" => search::measure(&options).await,
            "timeline" => timeline::measure(&options).await,
            "map" => map::measure(&options).await,
            "serve" => serve::measure(&options).await,
            "transcribe" => transcribe::measure(&options),
            "faces" => faces::measure(&options),
            "people" => people::measure(&options).await,
            "like" => like::measure(&options).await,
            "duplicates" => duplicates::measure(&options).await,
            "tags" => tags::measure(&options),
            "films" => films::measure(&options),
            "reading" => reading::measure(&options),
            "live" => live::measure(&options),
            "speakers" => speakers::measure(&options),
            "voices" => voices::measure(&options).await,
            "backup" => backup::measure(&options).await,
            other => refuse(format!("there is no subject {other:?}")),
        }
    }
}
