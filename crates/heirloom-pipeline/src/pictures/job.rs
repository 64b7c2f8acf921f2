//! What the confined process does: it decodes a picture and looks at it.

use std::{
    fs::File,
    io::{Cursor, Read as _},
};

use heirloom_core::{imprint::Imprint, query::Language, tag};
use heirloom_media::picture::{self, Limits, Picture, PictureError, Want};
use heirloom_models::{
    Sheet,
    pictures::{Looker, PicturesError},
};
use serde_json::json;

use super::SeenTag;
use crate::{
    confinement::{Answer, Failure, JobHeader},
    loading::{self, Loading, files, refuse},
};

/// Looks at a picture.
pub(crate) const LOOK: &str = "look";

/// What is kept loaded from job to job.
#[derive(Debug, Default)]
pub(crate) struct Onlooker {
    loading: Loading,
    looker: Option<Looker>,
}

/// The largest file that is read into memory.
const FILE_BYTES: u64 = 512 * 1024 * 1024;
/// The longest side that is enough for what the network sees, in pixels.
const SIDE: u32 = 640;
/// A picture with more pixels is not looked at: it would take half of a small machine's memory.
const LIMITS: Limits = Limits {
    pixels: 1 << 27,
    full_side: 0,
    output_bytes: 0,
};

impl Onlooker {
    /// Gives `{"problem": …}` for what is wrong with the file, and `{"tags": […]}` with what the picture looks like, a byte
    /// for each number; or `{"nothing": …}` where there is nothing to see. With `draw` it gives the picture instead, as JPEG whose
    /// longest side has at most so many pixels.
    pub(crate) fn look(
        &mut self,
        header: &JobHeader,
        input: File,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        // Somebody else looks at it.
        if let Some(side) = header["draw"].as_u64() {
            return draw(header, input, side, answer);
        }
        let Some(sheet) = decode(header, input, SIDE, answer)? else {
            return Ok(());
        };
        let seen = self.looker(header)?.look(&sheet).map_err(failed)?;
        let tags = tag::seen(&seen.views).into_iter();
        let tags = tags.map(|(noun, likely)| SeenTag {
            tag: noun.name(Language::English).to_owned(),
            confidence: (likely * 1e3).round() / 1e3,
        });
        let tags: Vec<SeenTag> = tags.collect();
        let imprint = Imprint::of("", &seen.features);
        Ok(answer.give(&json!({ "tags": tags }), &imprint.numbers)?)
    }

    fn looker(&mut self, header: &JobHeader) -> Result<&mut Looker, Failure> {
        if self.looker.is_none() {
            let model = files(header, "image_features")?;
            let mut files = model.iter();
            let weights = files.find(|(name, _)| name.ends_with(".pth"));
            let missing = || refuse("the model for pictures has no file *.pth".to_owned());
            let (_, path) = weights.ok_or_else(missing)?;
            let weights = loading::read(path)?;
            let runtime = self.loading.runtime(header)?;
            self.looker = Some(Looker::load(runtime, &weights).map_err(failed)?);
        }
        let missing = || refuse("there is no model for pictures".to_owned());
        self.looker.as_mut().ok_or_else(missing)
    }
}

fn draw(
    header: &JobHeader,
    input: File,
    side: u64,
    answer: &mut Answer<'_>,
) -> Result<(), Failure> {
    let side = u32::try_from(side).unwrap_or(SIDE);
    let Some(picture) = open(header, input, side, answer)? else {
        return Ok(());
    };
    let bytes = picture
        .to_jpeg(side)
        .map_err(|error| Failure::new(error.code(), error.to_string()))?;
    Ok(answer.give(&json!({ "is_drawn": true }), &bytes)?)
}

/// The pixels of a picture whose longest side has at least so many, if it has more. Gives `{"problem": …}` for what is wrong
/// with the file, and `{"nothing": …}` where there is nothing to see.
pub(crate) fn decode(
    header: &JobHeader,
    input: File,
    side: u32,
    answer: &mut Answer<'_>,
) -> Result<Option<Sheet>, Failure> {
    let Some(picture) = open(header, input, side, answer)? else {
        return Ok(None);
    };
    let (width, height) = (picture.width as usize, picture.height as usize);
    let sheet = Sheet::new(width, height, picture.on_white().pixels);
    let missing = || refuse("a picture has no pixels".to_owned());
    sheet.ok_or_else(missing).map(Some)
}

fn open(
    header: &JobHeader,
    input: File,
    side: u32,
    answer: &mut Answer<'_>,
) -> Result<Option<Picture>, Failure> {
    let mut bytes = Vec::new();
    input.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES {
        let nothing = "The file is larger than 512 MiB and is not looked at.";
        answer.give(&json!({ "nothing": nothing }), &[])?;
        return Ok(None);
    }
    let name = header["name"].as_str().unwrap_or_default();
    let file_type = heirloom_media::sniff(&mut Cursor::new(&bytes), name)?;
    let want = Want {
        page: 0,
        longest_side: Some(side),
    };
    let picture = match picture::decode(&bytes, file_type, &LIMITS, want) {
        Ok(picture) => picture,
        // Nothing is wrong with such a file.
        Err(nothing @ (PictureError::NotDrawn { .. } | PictureError::NoPreview)) => {
            let nothing = nothing.to_string();
            answer.give(&json!({ "nothing": nothing }), &[])?;
            return Ok(None);
        }
        Err(error) => {
            let failure = Failure::new(error.code(), error.to_string());
            return Err(failure.with_detail(error.detail()));
        }
    };
    for problem in &picture.problems {
        answer.give(&json!({ "problem": problem.what }), &[])?;
    }
    Ok(Some(picture))
}

fn failed(error: PicturesError) -> Failure {
    refuse(error.to_string())
}
