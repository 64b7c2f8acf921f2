//! PDF: its pages as pictures, and its text layer.
//!
//! Read and drawn by `hayro`, one page at a time; nothing of a page is kept when the next one comes. Scripts,
//! links and attachments are never looked at.

use std::ops::RangeInclusive;

use hayro::{
    PixmapSettings, RenderCache, RenderSettings,
    hayro_interpret::{
        BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
        InterpreterCache, InterpreterSettings, SoftMask, TransformExt as _,
        font::{Glyph, GlyphRun, PositionedGlyph},
        hayro_cmap::BfString,
        hayro_syntax::{DecryptionError, LoadPdfError, Pdf as File, page::Page},
        interpret_page,
    },
    kurbo::{Affine, BezPath, Point, Rect, Vec2},
    render,
    vello_cpu::color::palette::css::WHITE,
};

use super::{
    DocumentError, Layer, PageText, Text,
    html::is_language,
    setting::{Set, Setting},
};
use crate::picture::{Picture, PictureError};

/// A picture that takes more than this share of a page is the page.
const MOSTLY: f64 = 0.5;
/// The most pixels to a point, of which an inch has 72.
const FINEST: f32 = 300.0 / 72.0;
/// The most bytes of text that are gathered of one page.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// The units of a letter's width to its size.
const EM: f64 = 1000.0;

/// A PDF that is open.
pub(super) struct Pdf(File);

impl Pdf {
    /// Opens a PDF; one that is encrypted only if no password has to be given to read it.
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self, DocumentError> {
        let file = File::new(bytes).map_err(|error| match error {
            LoadPdfError::Decryption(DecryptionError::PasswordProtected) => DocumentError::Locked,
            LoadPdfError::Decryption(_) => DocumentError::Encrypted,
            LoadPdfError::Invalid => DocumentError::damaged("its structure cannot be read"),
        })?;
        if file.pages().is_empty() {
            return Err(DocumentError::Empty);
        }
        Ok(Self(file))
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.0.pages().len()).unwrap_or(u32::MAX)
    }

    /// The pixels of a page, counted from 0, on white paper, with that many on its longest side.
    pub(super) fn draw(&self, page: u32, side: u32) -> Result<Picture, PictureError> {
        let side = side as f32;
        let page = self.page(page).ok_or(PictureError::NoSuchPage)?;
        let (width, height) = page.render_dimensions();
        let longest = width.max(height);
        if !longest.is_finite() || width.min(height) <= 0.0 {
            return Err(PictureError::damaged("the page has no size"));
        }
        let scale = (side / longest).min(FINEST);
        let pixels = |length: f32| (length * scale).round().clamp(1.0, side);
        // Half a pixel more, for what is not whole is cut off.
        let settings = PixmapSettings {
            x_scale: (pixels(width) + 0.5) / width,
            y_scale: (pixels(height) + 0.5) / height,
            bg_color: WHITE,
        };
        let cache = RenderCache::new();
        let pixmap = render(
            page,
            &cache,
            &InterpreterSettings::default(),
            &RenderSettings::default(),
            &settings,
        );
        let opaque = pixmap
            .data()
            .iter()
            .flat_map(|pixel| [pixel.r, pixel.g, pixel.b]);
        Ok(Picture {
            width: pixmap.width().into(),
            height: pixmap.height().into(),
            pixels: opaque.collect(),
            has_alpha: false,
            is_animated: false,
            pages: self.count(),
            problems: Vec::new(),
        })
    }

    /// How long the longest side of a page is, counted from 0.
    pub(super) fn longest_points(&self, page: u32) -> Option<f32> {
        let (width, height) = self.page(page)?.render_dimensions();
        Some(width.max(height)).filter(|longest| longest.is_finite() && *longest > 0.0)
    }

    fn page(&self, page: u32) -> Option<&Page<'_>> {
        self.0.pages().get(usize::try_from(page).ok()?)
    }

    /// What stands on a page, counted from 0.
    fn text(&self, page: u32) -> Option<String> {
        self.look(page).map(|layer| layer.text)
    }

    /// What a page, counted from 0, says itself.
    pub(super) fn look(&self, page: u32) -> Option<Layer> {
        let page = self.page(page)?;
        let (width, height) = page.render_dimensions();
        let cache = InterpreterCache::new();
        let mut context = Context::new(
            page.initial_transform(true).to_kurbo(),
            Rect::new(0.0, 0.0, width.into(), height.into()),
            &cache,
            page.xref(),
            InterpreterSettings::default(),
        );
        let mut reader = Reader {
            setting: Setting::new(PAGE_BYTES),
            last: None,
            pictured: 0.0,
        };
        interpret_page(page, &mut context, &mut reader);
        let area = f64::from(width) * f64::from(height);
        Some(Layer {
            text: reader.setting.finish(),
            is_pictured: reader.pictured > area * MOSTLY,
        })
    }

    /// The language that the document says it is in.
    fn language(&self) -> Option<String> {
        let root = self.0.xref().root_id();
        let root: hayro::hayro_syntax::object::Dict<'_> = self.0.xref().get(root)?;
        let said: hayro::hayro_syntax::object::String<'_> = root.get(b"Lang".as_slice())?;
        let said = String::from_utf8(said.as_bytes().to_vec()).ok()?;
        Some(said).filter(|said| is_language(said))
    }
}

/// The text of these pages, counted from 1.
pub(super) fn read(bytes: Vec<u8>, pages: RangeInclusive<u32>) -> Result<Text, DocumentError> {
    let pdf = Pdf::open(bytes)?;
    let count = pdf.count();
    let mut text = Text {
        count,
        language: pdf.language(),
        ..Text::default()
    };
    for page in (*pages.start()).max(1)..=(*pages.end()).min(count) {
        // A page that its reader gives up on costs no other.
        match super::guarded(|| Ok(pdf.text(page - 1).unwrap_or_default())) {
            Ok(words) => text.pages.push(PageText {
                page: Some(page),
                text: words,
            }),
            Err(_) => text.problem(format!("Page {page} is damaged, and was not read.")),
        }
    }
    Ok(text)
}

/// Takes the letters of a page, and leaves everything else.
struct Reader {
    setting: Setting,
    /// The area of the largest picture on it.
    pictured: f64,
    /// Where the last run of letters began and how many it had.
    last: Option<(Point, usize)>,
}

impl Device<'_> for Reader {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        if self.setting.is_full() {
            return;
        }
        let Some(first) = run.glyphs().first() else {
            return;
        };
        // Letters that are filled and stroked come twice.
        let origin = props.transform * first.transform() * Point::ZERO;
        let drawn = Some((origin, run.glyphs().len()));
        if std::mem::replace(&mut self.last, drawn) == drawn {
            return;
        }
        for glyph in run.glyphs() {
            if let Some(set) = set(glyph, props.transform) {
                self.setting.push(set);
            }
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_clip_rect(&mut self, _: &Rect) {}
    fn draw_rect(&mut self, _: &Rect, _: DrawProps<'_>, _: &DrawMode) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}
    fn draw_image(&mut self, image: Image<'_, '_>, props: ImageDrawProps<'_>) {
        let pixels = f64::from(image.width()) * f64::from(image.height());
        self.pictured = self
            .pictured
            .max(pixels * props.transform.determinant().abs());
    }
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

/// A letter with its place on the page; nothing where the font does not say which letter it is.
fn set(glyph: &PositionedGlyph<'_>, transform: Affine) -> Option<Set> {
    let text = match glyph.as_unicode()? {
        BfString::Char(character) => character.to_string(),
        BfString::String(text) => text,
    };
    let advance = match &**glyph {
        Glyph::Outline(outline) => outline.advance_width(),
        Glyph::Type3(drawn) => drawn.advance_width(),
    };
    let place = transform * glyph.transform();
    let from = place * Point::ZERO;
    let to = place * Point::new(advance.unwrap_or(0.0).into(), 0.0);
    let up = place * Point::new(0.0, EM);
    Some(Set {
        from: from.into(),
        to: to.into(),
        size: Vec2::hypot(up - from),
        text,
    })
}
