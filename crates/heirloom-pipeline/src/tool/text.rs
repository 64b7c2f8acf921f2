//! The tool `text`: what stands in a document.

use std::{fs::File, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use heirloom_db::text::Text;
use heirloom_media::document::{TextLimits, read_text};
use serde_json::{Value as Json, json};

use super::{
    ResourceClass, Tool, View,
    document::{Request, refuse, take_in, wanted},
};
use crate::{
    confinement::{Answer, Failure as JobFailure, JobHeader},
    work::{Content, Failure, Product, Task},
};

/// The words of a document, page by page.
pub const TEXT: &str = "text";

/// Reads what stands in a document. Input: the original's bytes.
pub const READER: Tool = Tool {
    name: "text",
    version: 1,
    outputs: &[TEXT],
    view: View::Document,
    class: ResourceClass::Cpu,
    is_deterministic: true,
    parameters: &[],
    ability: None,
};

/// The job that a hand does for it.
pub(crate) const JOB: &str = "text";

/// The most pages that are read: a shelf of books.
const READ: u32 = 10_000;

const REQUEST: Request = Request {
    job: JOB,
    at_once: 100,
    most: READ,
    bytes: 16 * 1024 * 1024,
    time: Duration::from_secs(60),
};

pub(crate) fn read_document<'a>(
    task: &'a Task<'a>,
) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let mut read = REQUEST.ask(task).await?;
        let mut pages = Vec::with_capacity(read.parts.len());
        let mut words = String::new();
        for (page, header, bytes) in read.parts {
            let text = String::from_utf8_lossy(&bytes);
            words.push_str(&text);
            words.push('\n');
            pages.push(match header["is_numbered"].as_bool() {
                Some(true) => json!({ "page": page, "text": text }),
                _ => json!({ "text": text }),
            });
        }
        if read.until < read.count {
            let until = read.until;
            read.problems
                .push(format!("Pages after page {until} were not read."));
        }
        let mut text = json!({ "language": read.whole["language"], "pages": pages });
        if !read.problems.is_empty() {
            read.problems.dedup();
            text["problems"] = Json::from(read.problems);
        }
        Ok(vec![Product::new(
            TEXT,
            Content::Text {
                json: text,
                text: Text::written(words),
            },
        )])
    }
    .boxed()
}

/// Reads pages; runs in confinement.
pub(crate) fn read(
    header: &JobHeader,
    input: File,
    answer: &mut Answer<'_>,
) -> Result<(), JobFailure> {
    let Some((bytes, file_type)) = take_in(header, input, answer)? else {
        return Ok(());
    };
    let text = match read_text(bytes, file_type, wanted(header), &TextLimits::default()) {
        Ok(text) => text,
        Err(error) => return refuse(&error, answer),
    };
    answer.give(
        &json!({ "count": text.count, "language": text.language }),
        &[],
    )?;
    for problem in text.problems {
        answer.give(&json!({ "problem": problem.what }), &[])?;
    }
    for page in text.pages {
        let about = json!({ "page": page.page.unwrap_or(1), "is_numbered": page.page.is_some() });
        answer.give(&about, page.text.as_bytes())?;
    }
    Ok(())
}
