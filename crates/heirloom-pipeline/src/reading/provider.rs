//! What services that read are asked, and what they say. A further kind of service is one more of [`PROVIDERS`].

mod google;
mod openai;

use heirloom_core::reading::{Corners, Word};

use crate::way::vision::Provider;

use google::Google;
use openai::OpenAi;

/// What stands on a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Seen {
    /// Its paragraphs in the order in which they are read, each with its lines.
    pub(super) blocks: Vec<Vec<SeenLine>>,
    /// What is missing of it.
    pub(super) problem: Option<String>,
}

/// A line.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SeenLine {
    /// What stands in it.
    pub(super) text: String,
    /// How sure the service is, from 0 to 1.
    pub(super) confidence: f32,
    /// Where it is, where the service says so.
    pub(super) corners: Option<Corners>,
    /// Its words, where they are known one by one.
    pub(super) words: Vec<Word>,
}

/// Every kind of service.
pub(super) static PROVIDERS: [&'static dyn Provider<Seen = Seen>; 2] = [&OpenAi, &Google];
