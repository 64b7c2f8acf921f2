//! The storage suite: every test runs on a SQLite file and on PostgreSQL.
#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong in a test fails it, also where the body stands in a function of its own"
)]

mod assets;
mod audiences;
mod audit;
mod claim_batches;
mod claims;
mod collections;
mod concurrency;
mod duplicates;
mod harness;
mod hostile;
mod imprints;
mod meanings;
mod migrations;
mod pages;
mod people;
mod places;
mod purge;
mod scans;
mod search;
mod search_model;
mod suggestions;
mod text;
mod tiers;
mod timeline;
mod units;
mod voices;
