//! The tool `pages`: what the pages of a document, or of a picture that has several, look like.

use std::{fs::File, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use heirloom_core::{MediaKind, unit::FailureCode};
use heirloom_db::artifact::Part;
use heirloom_media::{
    document::Pages,
    picture::{Limits, Rendered},
};
use serde_json::json;

use super::{
    ResourceClass, Tool, View,
    document::{Request, refuse, take_in, wanted},
    rendition::{FULL, GRID, LOOK, SCREEN, parts},
};
use crate::{
    confinement::{Answer, Failure as JobFailure, JobHeader},
    work::{Content, Failure, Product, Task},
};

/// How many pages there are, of how many there are pictures, and what is wrong with the others.
pub const PAGES: &str = "pages";

/// Draws the pages of a PDF or a TIFF: each as a picture of its own, and the first page of a document also for
/// the whole. Input: the original's bytes.
///
/// Pages are drawn up to the hundredth: a letter, a notebook, a photo book. What is longer is a
/// book, which one reads in the original; a thousand more pictures of it would cost minutes on a processor that others wait
/// for, and hundreds of megabytes. Its text is read to the end all the same.
pub const DRAWER: Tool = Tool {
    name: "pages",
    version: 2,
    outputs: &[PAGES, LOOK, GRID, SCREEN, FULL],
    view: View::Pages,
    class: ResourceClass::Cpu,
    is_deterministic: true,
    parameters: &[],
    ability: None,
};

/// The job that a hand does for it.
pub(crate) const JOB: &str = "pages";

/// The most pages that are drawn.
const DRAWN: u32 = 100;

const REQUEST: Request = Request {
    job: JOB,
    at_once: 8,
    most: DRAWN,
    bytes: 96 * 1024 * 1024,
    time: Duration::from_secs(60),
};

pub(crate) fn draw_pages<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let mut pages = REQUEST.ask(task).await?;
        // The picture of a TIFF as a whole is drawn as that of any other picture.
        let is_document = task.asset.kind == MediaKind::Document;
        let first = pages.parts.first().map(|(page, ..)| *page);
        let mut products = Vec::with_capacity(pages.parts.len() + 4);
        let mut drawn = 0;
        for (page, mut header, bytes) in pages.parts {
            let said = header["kind"].take();
            let kind = DRAWER.outputs.iter().find(|kind| said == **kind);
            let kind = kind.ok_or_else(|| {
                let reason = "what draws pages answered with nonsense";
                Failure::Permanent(FailureCode::Crashed, reason.to_owned())
            })?;
            let about = header["about"].take();
            drawn += usize::from(*kind == LOOK);
            let content = |about, bytes| match *kind {
                LOOK => Content::Json(about),
                _ => Content::Bytes(about, bytes),
            };
            if is_document && Some(page) == first {
                products.push(Product::new(kind, content(about.clone(), bytes.clone())));
            }
            products.push(Product {
                part: Part::Page(page),
                ..Product::new(kind, content(about, bytes))
            });
        }
        if pages.until < pages.count && pages.count > 1 {
            let until = pages.until;
            pages
                .problems
                .push(format!("Pages after page {until} were not drawn."));
        }
        if is_document
            && drawn == 0
            && let Some(problem) = pages.problems.first()
        {
            let code = pages.code.unwrap_or(FailureCode::Other);
            return Err(Failure::Permanent(code, problem.clone()));
        }
        let about = json!({ "count": pages.count, "drawn": drawn, "problems": pages.problems });
        products.insert(0, Product::new(PAGES, Content::Json(about)));
        Ok(products)
    }
    .boxed()
}

/// Draws pages; runs in confinement.
pub(crate) fn draw(
    header: &JobHeader,
    input: File,
    answer: &mut Answer<'_>,
) -> Result<(), JobFailure> {
    let Some((bytes, file_type)) = take_in(header, input, answer)? else {
        return Ok(());
    };
    let pages = match Pages::open(bytes, file_type) {
        Ok(pages) => pages,
        Err(error) => return refuse(&error, answer),
    };
    let count = pages.count();
    answer.give(&json!({ "count": count }), &[])?;
    // A picture with one page is that picture.
    if count == 1 && file_type.kind == heirloom_core::MediaKind::Image {
        return Ok(());
    }
    let wanted = wanted(header);
    for page in *wanted.start()..=*wanted.end().min(&count) {
        match pages.draw(page, &Limits::default()) {
            Ok(rendered) => give(page, count, rendered, answer)?,
            Err(error) => {
                let problem = format!("Page {page} was left out: {error}");
                answer.give(&json!({ "problem": problem, "code": error.code() }), &[])?;
            }
        }
    }
    Ok(())
}

fn give(
    page: u32,
    count: u32,
    mut rendered: Rendered,
    answer: &mut Answer<'_>,
) -> Result<(), JobFailure> {
    rendered.pages = count;
    for (mut header, bytes) in parts(rendered) {
        header["page"] = page.into();
        answer.give(&header, &bytes)?;
    }
    Ok(())
}
