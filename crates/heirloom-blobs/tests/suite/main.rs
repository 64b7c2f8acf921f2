//! What stores of blobs promise, tried on real folders, real processes and real full disks.

#![expect(clippy::unwrap_used, reason = "in a test a surprise is a failure")]

mod bucket;
mod collect;
mod conformance;
mod folder;
mod fsck;
mod harness;
mod kill;
mod large;
mod model;
mod order;
mod sealed;
mod space;
mod tiers;
