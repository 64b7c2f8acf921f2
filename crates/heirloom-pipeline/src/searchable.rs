//! A document that can be searched, of the pictures of an original's pages and what stands on them: made while it is fetched, and
//! kept nowhere. So it always has what people corrected last.

use std::{
    fs::File,
    io::{self, Cursor, Read as _, Seek as _},
    time::Duration,
};

use bytes::Bytes;
use heirloom_core::{
    reading::{Corners, Page, Reading},
    unit::FailureCode,
};
use heirloom_db::workpiece::Workpiece;
use heirloom_media::{
    document::Pages,
    picture::{self, Limits, Picture, PictureError, Want},
    searchable::{Searchable, Sheet},
};
use heirloom_models::{Flat, Point, Projection, Quad, Sheet as Pixels};
use serde_json::json;

pub use heirloom_media::searchable::About;

use crate::{
    Context,
    confinement::{Answer, ConfinementError, Failure, JobHeader, JobLimits},
    open::{OpenError, open_original},
    workshop::Workshop,
};

/// The job that a hand does for it.
pub(crate) const JOB: &str = "sheet";

/// Such a document, while it is made.
#[derive(Debug)]
pub struct Making {
    workshop: Workshop,
    input: File,
    name: String,
    reading: Reading,
    document: Option<Searchable>,
    /// The page that comes next, and how many there are.
    next: u32,
    count: u32,
    /// The first page, which is drawn before anything is given.
    first: Option<Sheet>,
}

/// Why it cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SearchableError {
    /// The original cannot be had.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No page of it can be drawn.
    #[error(transparent)]
    Confinement(#[from] ConfinementError),
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Disk(#[from] io::Error),
}

const PDF: &str = "application/pdf";
/// The largest file that is read into memory.
const FILE_BYTES: u64 = 512 * 1024 * 1024;
/// A page of a PDF is drawn so that its longest side has that many: 200 to an inch of A4.
const DRAWN_SIDE: u32 = 2340;
const LIMITS: Limits = Limits {
    pixels: 1 << 27,
    full_side: 0,
    output_bytes: 0,
};
/// As many pages as a reading has at most.
const MOST_PAGES: u32 = 2_000;
/// How large a page is that cannot be drawn: A4, in points.
const A4: [f32; 2] = [595.0, 842.0];

impl Making {
    /// Begins it, and draws the first page: whatever cannot be made is known then.
    ///
    /// # Errors
    /// [`SearchableError`]
    pub async fn begin(
        ctx: &Context,
        workshop: &Workshop,
        asset: &Workpiece,
        reading: Reading,
        about: About,
    ) -> Result<Self, SearchableError> {
        let original = open_original(ctx, asset, false).await?;
        let mut making = Self {
            workshop: workshop.clone(),
            input: original.file,
            name: asset.name.clone(),
            reading,
            document: Some(Searchable::begin(about)),
            next: 1,
            count: 1,
            first: None,
        };
        making.first = Some(making.draw(1).await?);
        Ok(making)
    }

    /// More of it; `None` when that was all.
    ///
    /// # Errors
    /// [`SearchableError`] where the file or the machine fails. A page that cannot be drawn is white.
    pub async fn next(&mut self) -> Result<Option<Bytes>, SearchableError> {
        let number = self.next;
        if number > self.count.min(MOST_PAGES) {
            let document = self.document.take();
            return Ok(document.map(|document| document.finish().into()));
        }
        self.next += 1;
        let sheet = match self.first.take() {
            Some(sheet) => sheet,
            None => match self.draw(number).await {
                Ok(sheet) => sheet,
                Err(SearchableError::Confinement(error)) if error.is_about_the_file() => {
                    tracing::warn!(name = %self.name, number, "a page is left white: {error}");
                    white()
                }
                Err(error) => return Err(error),
            },
        };
        let read = self.read(number).cloned().unwrap_or_default();
        let document = self.document.as_mut();
        Ok(document.map(|document| document.add(&sheet, &alone(read)).into()))
    }

    fn read(&self, number: u32) -> Option<&Page> {
        let mut pages = self.reading.pages.iter();
        pages.find(|page| page.page.unwrap_or(1) == number)
    }

    async fn draw(&mut self, page: u32) -> Result<Sheet, SearchableError> {
        let outline = self.read(page).and_then(|read| read.outline);
        let job = json!({ "job": JOB, "name": self.name, "page": page, "outline": outline });
        let limits = JobLimits {
            wall: Duration::from_secs(300),
            cpu: Duration::from_secs(120),
            ..JobLimits::default()
        };
        self.input.rewind()?;
        let input = self.input.try_clone()?;
        for (header, bytes) in self.workshop.work(job, input, limits).await? {
            if let Some(reason) = header["nothing"].as_str() {
                return Err(failed(FailureCode::Unsupported, reason).into());
            }
            if let Some(count) = header["count"].as_u64() {
                self.count = u32::try_from(count).unwrap_or(u32::MAX);
            }
            if let Some(sheet) = read_sheet(&header, &bytes) {
                return Ok(sheet);
            }
        }
        Err(failed(FailureCode::Other, "what draws pages gave none").into())
    }
}

fn failed(code: FailureCode, reason: &str) -> ConfinementError {
    ConfinementError::failed(code, reason.to_owned())
}

/// What was read on a page that a camera saw, with its places on the page alone.
fn alone(mut page: Page) -> Page {
    let way = page
        .outline
        .take()
        .and_then(|outline| Projection::to(&quad(outline, 1.0, 1.0)));
    let Some(back) = way.map(|way| way.inverse()) else {
        return page;
    };
    page.moved(|[x, y]| {
        let Point { x, y } = back.place(Point { x, y });
        [x, y]
    })
}

/// Corners in pixels of a picture that is so large.
fn quad(Corners(corners): Corners, width: f32, height: f32) -> Quad {
    Quad(corners.map(|[x, y]| Point {
        x: x * width,
        y: y * height,
    }))
}

/// What stands for a page that cannot be drawn.
fn white() -> Sheet {
    let [width, height] = A4;
    let pixels = vec![255; width as usize * height as usize * 3];
    let picture = Picture::of_pixels(width as u32, height as u32, pixels);
    Sheet {
        longest_points: Some(height),
        ..Sheet::of_bits(&picture)
    }
}

/// A page as it was given: its profile, if it has one, before its bytes.
fn read_sheet(header: &JobHeader, bytes: &Bytes) -> Option<Sheet> {
    let sheet: Sheet = serde_json::from_value(header.get("sheet")?.clone()).ok()?;
    let length = usize::try_from(header["profile"].as_u64()?).ok()?;
    let (profile, bytes) = bytes.split_at_checked(length)?;
    Some(Sheet {
        profile: (!profile.is_empty()).then(|| profile.to_vec()),
        bytes: bytes.to_vec(),
        ..sheet
    })
}

/// Packs a page; runs in confinement. Gives `{"count": N}` and the page, or `{"nothing": WHY}`.
pub(crate) fn pack(
    header: &JobHeader,
    input: File,
    answer: &mut Answer<'_>,
) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    input.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES {
        let nothing = "the file is larger than 512 MiB";
        return Ok(answer.give(&json!({ "nothing": nothing }), &[])?);
    }
    let name = header["name"].as_str().unwrap_or_default();
    let page = header["page"]
        .as_u64()
        .and_then(|page| u32::try_from(page).ok());
    let page = page.unwrap_or(1);
    let file_type = heirloom_media::sniff(&mut Cursor::new(&bytes), name)?;
    let broken = |error: PictureError| {
        Failure::new(error.code(), error.to_string()).with_detail(error.detail())
    };
    let outline: Option<Corners> = serde_json::from_value(header["outline"].clone()).ok();
    let (count, sheet) = match file_type.media_type {
        PDF | "image/tiff" => {
            let pages = Pages::open(bytes, file_type)
                .map_err(|error| Failure::new(error.code(), error.to_string()))?;
            let is_pdf = file_type.media_type == PDF;
            let side = if is_pdf { DRAWN_SIDE } else { u32::MAX };
            let picture = pages.pixels(page, side, &LIMITS).map_err(broken)?;
            let mut sheet =
                Sheet::of_pixels(cut_out(picture.on_white(), outline)).map_err(broken)?;
            sheet.longest_points = pages.longest_points(page);
            (pages.count(), sheet)
        }
        _ if outline.is_some() => {
            let picture = picture::decode(&bytes, file_type, &LIMITS, Want::default());
            let picture = cut_out(picture.map_err(broken)?.on_white(), outline);
            (1, Sheet::of_pixels(picture).map_err(broken)?)
        }
        _ => (
            1,
            Sheet::of_picture(bytes, file_type, &LIMITS).map_err(broken)?,
        ),
    };
    answer.give(&json!({ "count": count }), &[])?;
    let profile = sheet.profile.as_deref().unwrap_or_default();
    let said = json!({ "sheet": sheet, "profile": profile.len() });
    let parts = [profile, &sheet.bytes].concat();
    Ok(answer.give(&said, &parts)?)
}

/// The page alone, straight and in one light; the picture as it is where no camera saw it.
fn cut_out(picture: Picture, outline: Option<Corners>) -> Picture {
    let (width, height) = (picture.width, picture.height);
    let flat = outline.and_then(|outline| {
        let pixels = picture.pixels.clone();
        let pixels = Pixels::new(width as usize, height as usize, pixels)?;
        Flat::of(&pixels, quad(outline, width as f32, height as f32))
    });
    flat.map_or(picture, |flat| {
        let lit = flat.lit();
        Picture::of_pixels(
            lit.width() as u32,
            lit.height() as u32,
            lit.pixels().to_vec(),
        )
    })
}
