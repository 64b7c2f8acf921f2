//! What the confined process does: it decodes or draws a page, and reads it.

use std::{
    fs::File,
    io::{Cursor, Read as _},
};

use heirloom_core::reading::{Corners, Lie, Line, Page, Word};
use heirloom_media::{
    FileType,
    document::{DocumentError, Layer, Pages},
    picture::{self, Limits, Picture, PictureError, Want},
};
use heirloom_models::{
    Flat, Point, Quad, Sheet,
    reading::{Reader, ReadingError, Seen, Stack},
};
use serde_json::json;

use crate::{
    confinement::{Answer, Failure, JobHeader},
    loading::{self, Loading, files, refuse},
};

/// Reads a picture, or pages of a document.
pub(crate) const READ: &str = "read";

/// What is kept loaded from job to job.
#[derive(Debug, Default)]
pub(crate) struct PageReader {
    loading: Loading,
    reader: Option<Reader>,
}

const PDF: &str = "application/pdf";
/// The largest file that is read into memory.
const FILE_BYTES: u64 = 512 * 1024 * 1024;
/// The longest side that is enough for a page of a letter, in pixels: 300 to an inch. Decoders give no fewer.
const PAGE_SIDE: u32 = 3508;
/// Pages of a PDF are drawn so that their longest side has that many: 200 to an inch.
const DRAWN_SIDE: u32 = 2340;
/// A picture with more pixels is not read: it would take half of a small machine's memory.
const LIMITS: Limits = Limits {
    pixels: 1 << 27,
    full_side: 0,
    output_bytes: 0,
};
/// A page that is a picture has a text of its own where that has so many letters: fewer are a footer, or the name of who scanned
/// it.
const LETTERS: usize = 200;
/// So many pages are gone through in a turn, where nothing has to be looked at.
const PAGES: u32 = 50;

impl PageReader {
    /// Gives `{"count": N}`, then each page from `from` up to `until` that has a text of its own, for as long as they do; or that
    /// first page alone, read in its picture, or with `draw` that picture as JPEG whose longest side has at most so many pixels.
    pub(crate) fn read(
        &mut self,
        header: &JobHeader,
        input: File,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        input.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_BYTES {
            let nothing = "The file is larger than 512 MiB and is not read.";
            return Ok(answer.give(&json!({ "nothing": nothing }), &[])?);
        }
        let name = header["name"].as_str().unwrap_or_default();
        let file_type = heirloom_media::sniff(&mut Cursor::new(&bytes), name)?;
        let from = number_of(header, "from").unwrap_or(1).max(1);
        match file_type.media_type {
            PDF | "image/tiff" => self.pages(header, bytes, file_type, from, answer),
            _ if from > 1 => Ok(answer.give(&json!({ "count": 1 }), &[])?),
            _ => self.picture(header, &bytes, file_type, answer),
        }
    }

    fn picture(
        &mut self,
        header: &JobHeader,
        bytes: &[u8],
        file_type: FileType,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        let want = Want {
            page: 0,
            longest_side: Some(PAGE_SIDE),
        };
        match picture::decode(bytes, file_type, &LIMITS, want) {
            Ok(picture) => {
                answer.give(&json!({ "count": 1 }), &[])?;
                self.look(header, None, picture, answer)
            }
            // Nothing is wrong with such a file.
            Err(nothing @ (PictureError::NotDrawn { .. } | PictureError::NoPreview)) => {
                let nothing = nothing.to_string();
                Ok(answer.give(&json!({ "nothing": nothing }), &[])?)
            }
            Err(error) => {
                Err(Failure::new(error.code(), error.to_string()).with_detail(error.detail()))
            }
        }
    }

    fn pages(
        &mut self,
        header: &JobHeader,
        bytes: Vec<u8>,
        file_type: FileType,
        from: u32,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        let is_pdf = file_type.media_type == PDF;
        let pages = match Pages::open(bytes, file_type) {
            Ok(pages) => pages,
            Err(error) => return refuse_document(&error, answer),
        };
        let count = pages.count();
        answer.give(&json!({ "count": count }), &[])?;
        let until = number_of(header, "until").unwrap_or(u32::MAX);
        for number in from..=count.min(until).min(from.saturating_add(PAGES - 1)) {
            let layer = pages.layer(number).unwrap_or_default();
            if is_text(&layer) {
                give(&Page::of_layer(Some(number), &layer.text), answer)?;
                continue;
            }
            // It is looked at in a turn of its own: what ends that costs no other page.
            if number > from {
                break;
            }
            // A picture of one page is that picture.
            let name = (is_pdf || count > 1).then_some(number);
            let side = if is_pdf { DRAWN_SIDE } else { PAGE_SIDE };
            match pages.pixels(number, side, &LIMITS) {
                Ok(picture) => return self.look(header, name, picture, answer),
                Err(error) => {
                    let problem = format!("Page {number} was left out: {error}");
                    answer.give(&json!({ "problem": problem, "page": number }), &[])?;
                }
            }
        }
        Ok(())
    }

    /// Reads a picture and gives what stands in it.
    fn look(
        &mut self,
        header: &JobHeader,
        page: Option<u32>,
        picture: Picture,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        for problem in &picture.problems {
            answer.give(&json!({ "problem": problem.what }), &[])?;
        }
        // Somebody else reads it.
        if let Some(side) = number_of(header, "draw") {
            let number = page.unwrap_or(1);
            let bytes = picture
                .to_jpeg(side)
                .map_err(|error| Failure::new(error.code(), error.to_string()))?;
            let about = json!({ "page": number, "is_single": page.is_none(), "is_drawn": true });
            return Ok(answer.give(&about, &bytes)?);
        }
        let picture = picture.on_white();
        let (width, height) = (picture.width as usize, picture.height as usize);
        let sheet = Sheet::new(width, height, picture.pixels);
        let sheet = sheet.ok_or_else(|| refuse("a page has no pixels".to_owned()))?;
        let mut seen = self.reader(header)?.read(&sheet).map_err(failed)?;
        let flat = seen.flat.take();
        let looked_at = flat.as_ref().map_or(&sheet, |flat| &flat.sheet);
        let read = page_of(page, looked_at, seen);
        let stack = (header["second"] == true && read.can_be_compared())
            .then(|| stack_of(looked_at, &read));
        match &flat {
            Some(flat) => give(&in_picture(read, flat, &sheet), answer)?,
            None => give(&read, answer)?,
        }
        let number = page.unwrap_or(1);
        if let Some(stack) = stack {
            let size = [stack.width, stack.height];
            answer.give(&json!({ "stack": size, "of": number }), &stack.levels)?;
        }
        // Of a book each sheet would be kept a second time.
        match flat.filter(|_| header["flat"] == true && page.is_none()) {
            Some(flat) => give_flat(&flat.lit(), answer),
            None => Ok(()),
        }
    }

    fn reader(&mut self, header: &JobHeader) -> Result<&mut Reader, Failure> {
        if self.reader.is_none() {
            let model = files(header, "reading")?;
            let file = |part: &str| {
                let missing = || refuse(format!("the model for reading has no file *{part}*.onnx"));
                let mut names = model.iter();
                let found = names.find(|(name, _)| name.contains(part));
                let (_, path) = found.ok_or_else(missing)?;
                loading::read(path)
            };
            let (detector, classifier) = (file("_det_")?, file("_cls_")?);
            let recogniser = file("_rec_")?;
            let runtime = self.loading.runtime(header)?;
            let reader = Reader::load(runtime, &detector, &classifier, &recogniser);
            self.reader = Some(reader.map_err(failed)?);
        }
        let missing = || refuse("there is no model for reading".to_owned());
        self.reader.as_mut().ok_or_else(missing)
    }
}

fn number_of(header: &JobHeader, name: &str) -> Option<u32> {
    u32::try_from(header[name].as_u64()?).ok()
}

/// Whether a page has a text of its own, which is kept.
fn is_text(layer: &Layer) -> bool {
    let letters = layer.text.chars().filter(|letter| letter.is_alphanumeric());
    let fewest = if layer.is_pictured { LETTERS } else { 1 };
    letters.take(fewest).count() == fewest
}

fn give(page: &Page, answer: &mut Answer<'_>) -> Result<(), Failure> {
    let number = page.page.unwrap_or(1);
    let bytes = serde_json::to_vec(page).map_err(|error| refuse(error.to_string()))?;
    Ok(answer.give(&json!({ "page": number }), &bytes)?)
}

/// What was seen as shares of the page, in the order in which it is read.
fn page_of(page: Option<u32>, sheet: &Sheet, seen: Seen) -> Page {
    let (width, height) = (sheet.width() as f32, sheet.height() as f32);
    let corners = |Quad(corners): Quad| {
        let share = |at: f32, all: f32| ((at / all).clamp(0.0, 1.0) * 1e4).round() / 1e4;
        Corners(corners.map(|corner| [share(corner.x, width), share(corner.y, height)]))
    };
    let lines = seen.lines.into_iter().filter_map(|line| {
        let words = line.words.into_iter().map(|word| Word {
            text: word.text,
            corners: corners(word.quad),
            probability: (word.probability.clamp(0.0, 1.0) * 1e3).round() / 1e3,
            otherwise: None,
        });
        Line::of_words(words.collect(), corners(line.quad))
    });
    let lie = Lie {
        aspect: width / height,
        turn: seen.turn,
        lean: (seen.lean * 10.0).round() / 10.0,
    };
    Page::of_lines(page, lie, lines.collect())
}

/// The lines of a page that have a place, one below the other.
fn stack_of(sheet: &Sheet, page: &Page) -> Stack {
    let (width, height) = (sheet.width() as f32, sheet.height() as f32);
    let quad = |Corners(corners): Corners| {
        Quad(corners.map(|[x, y]| Point {
            x: x * width,
            y: y * height,
        }))
    };
    let lines = page.lines().filter_map(|line| line.corners);
    let lines: Vec<Quad> = lines.map(quad).take(Stack::MOST).collect();
    Stack::of(sheet, &lines)
}

/// What was read on a page that was cut out of a picture, with its places in that.
fn in_picture(page: Page, flat: &Flat, picture: &Sheet) -> Page {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let place = |[x, y]: [f32; 2]| {
        let Point { x, y } = flat.place(x, y);
        [x / width, y / height]
    };
    let outline = Corners(
        [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
            .map(|corner| place(corner).map(|share| (share.clamp(0.0, 1.0) * 1e4).round() / 1e4)),
    );
    Page {
        outline: Some(outline),
        ..page.moved(place)
    }
}

/// Gives the page alone, straight and in one light.
fn give_flat(sheet: &Sheet, answer: &mut Answer<'_>) -> Result<(), Failure> {
    let picture = Picture::of_pixels(
        sheet.width() as u32,
        sheet.height() as u32,
        sheet.pixels().to_vec(),
    );
    let (width, height) = picture.size_within(DRAWN_SIDE);
    let bytes = picture
        .to_jpeg(DRAWN_SIDE)
        .map_err(|error| Failure::new(error.code(), error.to_string()))?;
    let about = json!({ "media_type": "image/jpeg", "width": width, "height": height });
    Ok(answer.give(&json!({ "flat": about }), &bytes)?)
}

/// Answers why nothing of a document is read: what is locked or of a type that is not read has nothing wrong with it.
fn refuse_document(error: &DocumentError, answer: &mut Answer<'_>) -> Result<(), Failure> {
    let reason = error.to_string();
    match error {
        DocumentError::Locked | DocumentError::Encrypted | DocumentError::NotRead { .. } => {
            Ok(answer.give(&json!({ "nothing": reason }), &[])?)
        }
        DocumentError::Damaged { detail } => {
            Err(Failure::new(error.code(), reason).with_detail(detail))
        }
        _ => Err(Failure::new(error.code(), reason)),
    }
}

fn failed(error: ReadingError) -> Failure {
    refuse(error.to_string())
}
