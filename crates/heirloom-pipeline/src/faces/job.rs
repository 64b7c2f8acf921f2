//! What the confined process does: it decodes a picture, and finds its faces.

use std::{
    fs::File,
    io::{Cursor, Read as _},
};

use heirloom_core::{
    Area,
    face::{Face, Faceprint},
};
use heirloom_media::{
    FileType,
    picture::{self, Limits, Picture, PictureError, Want},
};
use heirloom_models::{
    Sheet,
    faces::{FacesError, Finder, SeenFace},
};
use serde_json::json;

use crate::{
    confinement::{Answer, Failure, JobHeader},
    loading::{self, Loading, files, refuse},
};

/// Finds the faces of a picture.
pub(crate) const FIND: &str = "faces";

/// What is kept loaded from job to job.
#[derive(Debug, Default)]
pub(crate) struct FaceLooker {
    loading: Loading,
    finder: Option<Finder>,
}

/// The largest file that is read into memory.
const FILE_BYTES: u64 = 512 * 1024 * 1024;
/// The longest side that is enough for most pictures, in pixels. Decoders give no fewer.
const SIDE: u32 = 2000;
/// Where a face is lower than so many of these pixels, there may be more of them: all pixels are looked at.
const LOW: f32 = 48.0;
/// A picture with more pixels is not looked at: it would take half of a small machine's memory.
const LIMITS: Limits = Limits {
    pixels: 1 << 27,
    full_side: 0,
    output_bytes: 0,
};

impl FaceLooker {
    /// Gives what is wrong with a picture, and its faces.
    pub(crate) fn find(
        &mut self,
        header: &JobHeader,
        input: File,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        input.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_BYTES {
            let nothing = "The file is larger than 512 MiB and is not looked at.";
            return Ok(answer.give(&json!({ "nothing": nothing }), &[])?);
        }
        let name = header["name"].as_str().unwrap_or_default();
        let file_type = heirloom_media::sniff(&mut Cursor::new(&bytes), name)?;
        let picture = match decode(&bytes, file_type, Some(SIDE)) {
            Ok(picture) => picture,
            // Nothing is wrong with such a file.
            Err(nothing @ (PictureError::NotDrawn { .. } | PictureError::NoPreview)) => {
                let nothing = nothing.to_string();
                return Ok(answer.give(&json!({ "nothing": nothing }), &[])?);
            }
            Err(error) => {
                let failure = Failure::new(error.code(), error.to_string());
                return Err(failure.with_detail(error.detail()));
            }
        };
        for problem in &picture.problems {
            answer.give(&json!({ "problem": problem.what }), &[])?;
        }
        let size = (picture.width, picture.height);
        let finder = self.finder(header)?;
        let mut seen = look(finder, picture)?;
        let is_low = |face: &SeenFace| face.rectangle[3] < LOW;
        if size.0.max(size.1) >= SIDE && seen.1.iter().any(is_low) {
            // What fails now has been looked at all the same.
            if let Ok(whole) = decode(&bytes, file_type, None)
                && (whole.width, whole.height) != size
            {
                seen = look(finder, whole)?;
            }
        }
        let key = header["key"].as_str().unwrap_or_default();
        let ((width, height), faces) = seen;
        let faces = faces.into_iter();
        let faces: Vec<Face> = faces
            .filter_map(|face| face_of(key, face, width, height))
            .collect();
        let bytes = serde_json::to_vec(&faces).map_err(|error| refuse(error.to_string()))?;
        Ok(answer.give(&json!({ "count": faces.len() }), &bytes)?)
    }

    fn finder(&mut self, header: &JobHeader) -> Result<&mut Finder, Failure> {
        if self.finder.is_none() {
            let model = files(header, "faces")?;
            let file = |part: &str| {
                let missing = || refuse(format!("the model for faces has no file *{part}*.onnx"));
                let mut names = model.iter();
                let found = names.find(|(name, _)| name.contains(part));
                let (_, path) = found.ok_or_else(missing)?;
                loading::read(path)
            };
            let (detector, landmarks) = (file("_detect")?, file("_landmark")?);
            let features = file("_feature")?;
            let runtime = self.loading.runtime(header)?;
            let finder = Finder::load(runtime, &detector, &landmarks, &features);
            self.finder = Some(finder.map_err(failed)?);
        }
        let missing = || refuse("there is no model for faces".to_owned());
        self.finder.as_mut().ok_or_else(missing)
    }
}

fn decode(
    bytes: &[u8],
    file_type: FileType,
    longest_side: Option<u32>,
) -> Result<Picture, PictureError> {
    let want = Want {
        page: 0,
        longest_side,
    };
    picture::decode(bytes, file_type, &LIMITS, want).map(Picture::on_white)
}

/// The faces of a picture, with its width and height.
fn look(finder: &mut Finder, picture: Picture) -> Result<((f32, f32), Vec<SeenFace>), Failure> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let sheet = Sheet::new(width, height, picture.pixels);
    let sheet = sheet.ok_or_else(|| refuse("the picture has no pixels".to_owned()))?;
    let faces = finder.find(&sheet).map_err(failed)?;
    Ok(((width as f32, height as f32), faces))
}

/// A face in shares of its picture; `None` where it has none of it.
fn face_of(key: &str, seen: SeenFace, width: f32, height: f32) -> Option<Face> {
    let [left, top, wide, high] = seen.rectangle;
    let shares = [left / width, top / height, wide / width, high / height];
    let share = |at: f32, all: f32| ((at / all).clamp(0.0, 1.0) * 1e4).round() / 1e4;
    let thousandth = |it: f32| (it.clamp(0.0, 1.0) * 1e3).round() / 1e3;
    let landmarks = seen.landmarks.iter();
    Some(Face {
        area: Area::new(shares.map(f64::from)).ok()?,
        at_ms: None,
        moments: Vec::new(),
        probability: thousandth(seen.probability),
        quality: thousandth(seen.quality),
        landmarks: landmarks
            .map(|point| [share(point.x, width), share(point.y, height)])
            .collect(),
        print: Faceprint::of(key, &seen.direction),
    })
}

fn failed(error: FacesError) -> Failure {
    refuse(error.to_string())
}
