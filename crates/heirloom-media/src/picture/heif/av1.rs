//! AVIF: AV1 pictures, the grids that are put together of them, and their opacity.

use heifer::{
    Image,
    color::{ColorParams, frame_to_rgba_sized},
    heifer_hevc_dec::recon::Frame,
    heifer_isobmff::{
        HeifFile, ItemId,
        boxes::{ColorInfo, Property},
    },
};
use re_rav1d::dav1d::{
    Decoder, Error, PixelLayout, PlanarImageComponent, Settings,
    pixel::{MatrixCoefficients, YUVRange},
};

use super::{
    Limits, PictureError, Sample, Stored, TILE_LIMIT, bright, code_points, colour, orientation,
    plain,
};

/// Decodes an item, or the grid of items that it is.
pub(super) fn open(
    file: &HeifFile<'_>,
    id: ItemId,
    limits: &Limits,
) -> Result<Stored, PictureError> {
    let (primaries, transfer) = code_points(file, id).unwrap_or((2, 2));
    let has_profile = matches!(file.icc_profile(id), Ok(Some(_)));
    let stored = if !has_profile && colour::is_brighter_than_paper(transfer) {
        bright(whole::<u16>(file, id, limits)?, primaries, transfer)?
    } else {
        plain(file, id, whole::<u8>(file, id, limits)?)?
    };
    Ok(stored.turned(Some(orientation(file, id))))
}

/// The picture of an item with its opacity and within its frame, not yet turned.
fn whole<S: Sample>(
    file: &HeifFile<'_>,
    id: ItemId,
    limits: &Limits,
) -> Result<Image<S>, PictureError> {
    let mut image = colours::<S>(file, id, limits)?;
    let alpha = file
        .referencing_items(id, b"auxl")
        .into_iter()
        .find(|aux| is_alpha(file, *aux));
    if let Some(alpha) = alpha {
        let alpha = colours::<S>(file, alpha, limits)?;
        if (alpha.width, alpha.height) == (image.width, image.height) {
            let pixels = image.data.as_chunks_mut::<4>().0.iter_mut();
            for (pixel, [grey, ..]) in pixels.zip(alpha.data.as_chunks::<4>().0) {
                pixel[3] = *grey;
            }
            image.has_alpha = true;
        }
    }
    let crop = file.item_properties(id).ok().and_then(|mut properties| {
        properties.find_map(|property| match property {
            Property::CleanAperture {
                width,
                height,
                horiz_offset,
                vert_offset,
            } => Some((*width, *height, *horiz_offset, *vert_offset)),
            _ => None,
        })
    });
    if let Some((width, height, across, down)) = crop {
        let cut = span(image.width, width, across).zip(span(image.height, height, down));
        if let Some(((left, width), (top, height))) = cut {
            image = image.crop(left, top, width, height);
        }
    }
    Ok(image)
}

/// Where a clean aperture begins and how long it is, on one axis.
fn span(side: u32, length: (u32, u32), offset: (i32, u32)) -> Option<(u32, u32)> {
    if length.1 == 0 || offset.1 == 0 {
        return None;
    }
    let length = f64::from(length.0) / f64::from(length.1);
    let centre = f64::from(offset.0) / f64::from(offset.1) + (f64::from(side) - 1.0) / 2.0;
    let start = (centre - (length - 1.0) / 2.0).round().max(0.0);
    let length = length.round();
    (length >= 1.0 && start + length <= f64::from(side)).then_some((start as u32, length as u32))
}

fn is_alpha(file: &HeifFile<'_>, id: ItemId) -> bool {
    file.item_properties(id).is_ok_and(|mut properties| {
        properties.any(|property| {
            matches!(property, Property::AuxiliaryType(kind)
                if kind == "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"
                    || kind == "urn:mpeg:hevc:2015:auxid:1")
        })
    })
}

/// The colours of an item or of a grid of items.
fn colours<S: Sample>(
    file: &HeifFile<'_>,
    id: ItemId,
    limits: &Limits,
) -> Result<Image<S>, PictureError> {
    let kind = file.item(id).map_err(PictureError::damaged)?.item_type.0;
    match &kind {
        b"av01" => coded(file, id, limits),
        b"grid" => grid(file, id, limits),
        _ => Err(PictureError::unsupported("a picture made of several")),
    }
}

fn grid<S: Sample>(
    file: &HeifFile<'_>,
    id: ItemId,
    limits: &Limits,
) -> Result<Image<S>, PictureError> {
    let grid = file.grid(id).map_err(PictureError::damaged)?;
    limits.allow(grid.output_width, grid.output_height)?;
    let tiles = file.referenced_items(id, b"dimg");
    if tiles.len() > TILE_LIMIT || tiles.len() != usize::from(grid.rows) * usize::from(grid.columns)
    {
        return Err(PictureError::damaged("pieces are missing"));
    }
    let mut canvas: Option<Image<S>> = None;
    for (number, tile) in tiles.iter().enumerate() {
        let tile = coded::<S>(file, *tile, limits)?;
        let canvas = canvas.get_or_insert_with(|| Image {
            width: grid.output_width,
            height: grid.output_height,
            bit_depth: tile.bit_depth,
            has_alpha: false,
            data: vec![S::default(); grid.output_width as usize * grid.output_height as usize * 4],
        });
        let columns = usize::from(grid.columns);
        let left = number % columns * tile.width as usize * 4;
        let top = number / columns * tile.height as usize;
        let rows = canvas.data.chunks_exact_mut(canvas.width as usize * 4);
        let lines = tile.data.chunks_exact(tile.width as usize * 4);
        for (row, line) in rows.skip(top).zip(lines) {
            for (to, from) in row.iter_mut().skip(left).zip(line) {
                *to = *from;
            }
        }
    }
    canvas.ok_or_else(|| PictureError::damaged("it is made of nothing"))
}

/// One coded picture.
fn coded<S: Sample>(
    file: &HeifFile<'_>,
    id: ItemId,
    limits: &Limits,
) -> Result<Image<S>, PictureError> {
    if let Ok(Some((width, height))) = file.image_size(id) {
        limits.allow(width, height)?;
    }
    let data = file.item_data(id).map_err(PictureError::damaged)?;
    let (frame, mut params, (width, height)) = frame(data.into_owned(), limits)?;
    let stated = file.item_properties(id).ok().and_then(|mut properties| {
        properties.find_map(|property| match property {
            Property::Color(ColorInfo::Nclx {
                matrix, full_range, ..
            }) => Some((*matrix, *full_range)),
            _ => None,
        })
    });
    if let Some((matrix, full_range)) = stated {
        params = ColorParams { matrix, full_range };
    }
    Ok(frame_to_rgba_sized(&frame, params, width, height))
}

/// Planes, what they mean, and how much of them is picture.
type Planes = (Frame, ColorParams, (u32, u32));

/// Decodes AV1 to planes.
fn frame(data: Vec<u8>, limits: &Limits) -> Result<Planes, PictureError> {
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_all_layers(false);
    settings.set_frame_size_limit(u32::try_from(limits.pixels).unwrap_or(u32::MAX));
    let mut decoder = Decoder::with_settings(&settings).map_err(PictureError::unsupported)?;
    match decoder.send_data(data, None, None, None) {
        Ok(()) | Err(Error::Again) => {}
        Err(error) => return Err(PictureError::damaged(error)),
    }
    let picture = match decoder.get_picture() {
        Ok(picture) => picture,
        Err(Error::Again) => {
            decoder.send_pending_data().map_err(PictureError::damaged)?;
            decoder.get_picture().map_err(PictureError::damaged)?
        }
        Err(error) => return Err(PictureError::damaged(error)),
    };
    let (width, height) = (picture.width(), picture.height());
    limits.allow(width, height)?;
    let (chroma_format, chroma_width, chroma_height) = match picture.pixel_layout() {
        PixelLayout::I400 => (0, 0, 0),
        PixelLayout::I420 => (1, width.div_ceil(2), height.div_ceil(2)),
        PixelLayout::I422 => (2, width.div_ceil(2), height),
        PixelLayout::I444 => (3, width, height),
    };
    // The conversion wants as many samples of light as whole samples of colour stand for.
    let (luma_width, luma_height) = match chroma_format {
        1 => (chroma_width * 2, chroma_height * 2),
        2 => (chroma_width * 2, height),
        _ => (width, height),
    };
    let bits = picture.bits_per_component().map_or(8, |bits| bits.0 as u8);
    let plane = |component, width: u32, height: u32| -> Vec<u16> {
        let (width, height) = (width as usize, height as usize);
        if width == 0 {
            return Vec::new();
        }
        let plane = picture.plane(component);
        let mut samples = Vec::with_capacity(width * height);
        for row in plane
            .chunks(picture.stride(component) as usize)
            .take(height)
        {
            let end = samples.len() + width;
            if bits == 8 {
                samples.extend(row.iter().take(width).map(|value| u16::from(*value)));
            } else {
                let values = row.as_chunks::<2>().0.iter().take(width);
                samples.extend(values.map(|value| u16::from_ne_bytes(*value)));
            }
            samples.resize(end, 0);
        }
        samples.resize(width * height, 0);
        samples
    };
    let matrix = match picture.matrix_coefficients() {
        MatrixCoefficients::Identity => 0,
        MatrixCoefficients::BT709 => 1,
        MatrixCoefficients::BT2020NonConstantLuminance => 9,
        MatrixCoefficients::BT2020ConstantLuminance => 10,
        MatrixCoefficients::ST240M => 7,
        _ => 6,
    };
    let full_range = picture.color_range() == YUVRange::Full;
    let frame = Frame {
        widths: [luma_width, chroma_width, chroma_width],
        heights: [luma_height, chroma_height, chroma_height],
        planes: [
            plane(PlanarImageComponent::Y, luma_width, luma_height),
            plane(PlanarImageComponent::U, chroma_width, chroma_height),
            plane(PlanarImageComponent::V, chroma_width, chroma_height),
        ],
        bit_depth: [bits, bits],
        chroma_format,
        full_range,
        matrix_coeffs: matrix,
    };
    let params = ColorParams {
        matrix: u16::from(matrix),
        full_range,
    };
    Ok((frame, params, (width, height)))
}
