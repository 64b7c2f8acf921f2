//! HEIC, HEIF and AVIF: coded pictures in a container that puts them together, turns and mirrors them.
//!
//! See ISO/IEC 23008-12 (HEIF), ISO/IEC 23000-22 (MIAF) and AV1's "AV1 Image File Format".

mod av1;

use heifer::{
    Image, Options, Sample,
    heifer_isobmff::{
        FourCC, HeifFile, ItemId,
        boxes::{ColorInfo, Property},
    },
};

use super::{Limits, PictureError, Want, colour, jpeg, raster::Raster, stored::Stored};
use crate::finding::Facts;

/// The deepest that pictures are made of pictures.
const DEPTH_LIMIT: u32 = 4;

/// The most pieces of one picture.
const TILE_LIMIT: usize = 4_096;

pub(super) fn open(bytes: &[u8], limits: &Limits) -> Result<Stored, PictureError> {
    let file = HeifFile::parse(bytes).map_err(PictureError::damaged)?;
    let id = file.primary_id;
    if let Ok(Some((width, height))) = file.image_size(id) {
        limits.allow(width, height)?;
    }
    let mut stored = match item(bytes, &file, id, limits) {
        Ok(stored) => stored,
        Err(error) => {
            let mut small = thumbnail(bytes, &file, limits).ok_or(error)?;
            small.problem("The picture is damaged; only the small preview in it can be shown.");
            small
        }
    };
    let plays = |brand| file.file_type.has_brand(brand);
    stored.is_animated = plays(b"avis") || plays(b"hevc") || plays(b"msf1");
    Ok(stored)
}

/// The picture of one item.
fn item(
    bytes: &[u8],
    file: &HeifFile<'_>,
    id: ItemId,
    limits: &Limits,
) -> Result<Stored, PictureError> {
    match coding(file, id, 0)? {
        Coding::Hevc => hevc(bytes, file, id, limits),
        Coding::Av1 => {
            let stored = av1::open(file, id, limits)?;
            Ok(stored)
        }
        Coding::Jpeg => {
            let data = file.item_data(id).map_err(PictureError::damaged)?;
            let stored = jpeg::open(&data, &Facts::default(), limits, Want::default())?;
            let orientation = orientation(file, id);
            Ok(stored.turned(Some(orientation)))
        }
    }
}

enum Coding {
    Hevc,
    Av1,
    Jpeg,
}

/// How an item, or the first of those it is made of, is coded.
fn coding(file: &HeifFile<'_>, id: ItemId, depth: u32) -> Result<Coding, PictureError> {
    let FourCC(kind) = file.item(id).map_err(PictureError::damaged)?.item_type;
    match &kind {
        b"hvc1" | b"hev1" => Ok(Coding::Hevc),
        b"av01" => Ok(Coding::Av1),
        b"jpeg" => Ok(Coding::Jpeg),
        b"grid" | b"iovl" | b"iden" if depth < DEPTH_LIMIT => {
            let first = file.referenced_items(id, b"dimg").first();
            let first = *first.ok_or_else(|| PictureError::damaged("it is made of nothing"))?;
            coding(file, first, depth + 1)
        }
        _ => Err(PictureError::unsupported(
            String::from_utf8_lossy(&kind).into_owned(),
        )),
    }
}

/// HEVC, which the library puts together and turns itself.
fn hevc(
    bytes: &[u8],
    file: &HeifFile<'_>,
    id: ItemId,
    limits: &Limits,
) -> Result<Stored, PictureError> {
    let options = Options {
        max_threads: 1,
        max_pixels: limits.pixels,
    };
    let (primaries, transfer) = code_points(file, id).unwrap_or((2, 2));
    let has_profile = matches!(file.icc_profile(id), Ok(Some(_)));
    if id == file.primary_id && !has_profile && colour::is_brighter_than_paper(transfer) {
        let image = heifer::decode_with_options(bytes, &options).map_err(PictureError::damaged)?;
        return bright(image, primaries, transfer);
    }
    if id == file.primary_id {
        let image = heifer::decode_rgba8(bytes, &options).map_err(PictureError::damaged)?;
        return plain(file, id, image);
    }
    let image = heifer::decode_item(file, id, 0).map_err(PictureError::damaged)?;
    let max = image.max_value();
    let narrow = image.data.iter().map(|value| {
        let value = u32::from(*value) * 255 + u32::from(max) / 2;
        (value / u32::from(max.max(1))) as u8
    });
    let image = Image {
        width: image.width,
        height: image.height,
        bit_depth: 8,
        has_alpha: image.has_alpha,
        data: narrow.collect(),
    };
    plain(file, id, image)
}

/// An upright picture of eight bits a channel, with the colours that the file says.
fn plain(file: &HeifFile<'_>, id: ItemId, image: Image<u8>) -> Result<Stored, PictureError> {
    let raster = Raster::from_rgba(image.width, image.height, image.data)
        .ok_or_else(|| PictureError::damaged("it has fewer pixels than it says"))?;
    let mut stored = Stored::of(raster);
    if let Ok(Some(icc)) = file.icc_profile(id) {
        stored = stored.with_profile(Some(icc));
    } else if let Some((primaries, transfer)) = code_points(file, id) {
        stored.profile = colour::profile_of_code_points(primaries, transfer);
    }
    Ok(stored)
}

/// An upright picture whose light may be brighter than paper.
fn bright(image: Image<u16>, primaries: u16, transfer: u16) -> Result<Stored, PictureError> {
    let pixels = colour::tone_map(&image.data, image.max_value(), primaries, transfer);
    Raster::from_rgba(image.width, image.height, pixels)
        .map(Stored::of)
        .ok_or_else(|| PictureError::damaged("it has fewer pixels than it says"))
}

/// The smallest preview's picture, largest first.
fn thumbnail(bytes: &[u8], file: &HeifFile<'_>, limits: &Limits) -> Option<Stored> {
    file.referencing_items(file.primary_id, b"thmb")
        .into_iter()
        .find_map(|id| item(bytes, file, id, limits).ok())
}

/// Primaries and transfer (ITU-T H.273) of an item, or of the first that it is made of.
fn code_points(file: &HeifFile<'_>, id: ItemId) -> Option<(u16, u16)> {
    let own = file
        .item_properties(id)
        .ok()?
        .find_map(|property| match property {
            Property::Color(ColorInfo::Nclx {
                primaries,
                transfer,
                ..
            }) => Some((*primaries, *transfer)),
            _ => None,
        });
    own.or_else(|| {
        let first = *file.referenced_items(id, b"dimg").first()?;
        let is_other = first != id && !is_derived(file, first);
        is_other.then(|| code_points(file, first)).flatten()
    })
}

fn is_derived(file: &HeifFile<'_>, id: ItemId) -> bool {
    !file.referenced_items(id, b"dimg").is_empty()
}

/// EXIF's number for the turns and mirrors of an item, in the order in which they are stated.
fn orientation(file: &HeifFile<'_>, id: ItemId) -> u8 {
    let (mut turns, mut mirror) = (0, None);
    if let Ok(properties) = file.item_properties(id) {
        for property in properties {
            match property {
                Property::Rotation(quarters) => turns = quarters & 3,
                Property::Mirror(is_upside_down) => mirror = Some(u8::from(!*is_upside_down)),
                _ => {}
            }
        }
    }
    crate::bmff::heif_orientation(turns, mirror)
}
