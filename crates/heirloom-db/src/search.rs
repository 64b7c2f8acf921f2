//! Full-text search: what is indexed of an asset, and how a query finds it.

pub(crate) mod document;

use crate::sql::statements;

pub(crate) use document::{Document, Scope};

statements! {
    ADD = "INSERT INTO search_index (/*lite rowid *//*pg timeline_key */, words)
        SELECT column1, column2 /*pg ::tsvector */ FROM (VALUES {rows}) AS v";
    DELETE = "DELETE FROM search_index WHERE /*lite rowid *//*pg timeline_key */ IN ({list})";
}
