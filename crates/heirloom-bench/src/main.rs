//! Measures Heirloom: `bench NAME… [OPTION…]`, each name a subject below.
//!
//! Figures are printed beside their limit, and a figure that misses it is marked. Nothing here is a
//! test: what a machine manages is no fact about the code. Every subject makes its own input, the
//! same each time, so that figures of two days can be compared.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a program for developers: it prints, and what goes wrong ends it"
)]

mod catalogue;
mod chance;
mod figures;
mod options;
mod search;
mod words;

use options::Options;

const USAGE: &str = "usage: bench SUBJECT… [OPTION…]

subjects
  search      pages of queries over a seeded catalogue

options
  --assets N        how many assets to seed (1000000)
  --data FOLDER     keep the catalogue here, or measure the one that is here
  --postgres        a PostgreSQL of its own instead of SQLite
  --audiences N     how many audiences the assets are spread over (1)
  --only CLASS      only the classes of queries whose names contain this";

#[tokio::main]
async fn main() {
    let options = Options::parse(std::env::args().skip(1)).unwrap_or_else(|problem| {
        eprintln!("{problem}\n\n{USAGE}");
        std::process::exit(2);
    });
    for subject in &options.subjects {
        match subject.as_str() {
            "search" => search::measure(&options).await,
            other => {
                eprintln!("there is no subject {other:?}\n\n{USAGE}");
                std::process::exit(2);
            }
        }
    }
}
