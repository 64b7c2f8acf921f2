//! The API, the pages and the data folder: the real router over real databases, real blobs and real
//! files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod archive;
mod asset;
mod backup;
mod claim;
mod collection;
mod data_folder;
mod doctor;
mod document;
mod duplicate;
mod edge;
mod folder;
mod fsck;
mod harness;
mod model;
mod openapi;
mod original;
mod page;
mod person;
mod place;
mod publication;
mod run;
mod search;
mod serve;
mod stranger;
mod tag;
mod timeline;
mod transfer;
mod upload;
mod web;
