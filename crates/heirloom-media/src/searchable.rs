//! A PDF of pictures of pages with what stands on them behind: it is found and copied there, and not seen. It is of the form
//! that is made to last, PDF/A-2u (ISO 19005-2, level U).
//!
//! It is written page by page, so a book takes no more memory than a letter.

mod font;
mod sheet;

use heirloom_core::reading::{Corners, Page as Read};
use pdf_writer::{
    Chunk, Content, Date, Filter, Finish as _, Name, Rect, Ref, Str, TextStr,
    types::{OutputIntentSubtype, TextRenderingMode},
    writers::Catalog,
};

pub use sheet::{Form, Sheet};

use font::Letters;

/// What a document says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// What it is called.
    pub title: String,
    /// Its language, where that is known, by its code of ISO 639.
    pub language: Option<String>,
    /// When what stands in it came to be, in seconds since 1970 (UTC).
    pub made_at_s: i64,
    /// Which document this is: the same for the same content.
    pub id: [u8; 16],
    /// The program that makes it, with its version.
    pub program: String,
}

/// Such a document, while it is written: each part of it is given when it is ready.
#[derive(Debug)]
pub struct Searchable {
    out: Vec<u8>,
    about: About,
    /// Where each object begins; the object of number n is at n - 1.
    places: Vec<u64>,
    written: u64,
    pages: Vec<Ref>,
    letters: Letters,
}

const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const METADATA: Ref = Ref::new(3);
const PROFILE: Ref = Ref::new(4);
const DESCRIBED: Ref = Ref::new(5);
/// The objects of the font, of which there are as many as it says.
const FONT: i32 = 6;
const FIRST_OF_PAGES: i32 = FONT + font::OBJECTS;

/// Pixels to an inch of a picture that does not say.
const PER_INCH: f32 = 300.0;
const POINTS: f32 = 72.0;
/// The longest side that a page can have, in points.
const LONGEST: f32 = 14_400.0;
const TYPEFACE: Name<'_> = Name(b"F");
const PICTURE: Name<'_> = Name(b"P");
/// At least so much of a letter's height is between two words.
const SPACE: f32 = 0.25;
/// So much of a line's height is below the letters' foot.
const BELOW: f32 = 0.2;

impl Searchable {
    /// Begins one.
    #[must_use]
    pub fn begin(about: About) -> Self {
        // The second line says that what follows is no text.
        let out = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
        Self {
            about,
            places: vec![0; FIRST_OF_PAGES as usize - 1],
            written: out.len() as u64,
            out,
            pages: Vec::new(),
            letters: Letters::default(),
        }
    }

    /// Adds a page, and gives what there is until now. Places in what was read on it are shares of the page as it is shown.
    pub fn add(&mut self, sheet: &Sheet, read: &Read) -> Vec<u8> {
        let first = self.places.len() as i32 + 1;
        let [page, content, picture, profile] = [0, 1, 2, 3].map(|at| Ref::new(first + at));
        let (width, height) = size(sheet);
        let own = sheet.profile.as_deref();

        let mut chunk = Chunk::new();
        let mut of_page = chunk.page(page);
        of_page.parent(PAGES);
        of_page.media_box(Rect::new(0.0, 0.0, width, height));
        of_page.contents(content);
        let mut resources = of_page.resources();
        resources.fonts().pair(TYPEFACE, Ref::new(FONT));
        resources.x_objects().pair(PICTURE, picture);
        resources.finish();
        of_page.finish();
        self.put(page, &chunk);

        let drawn = self.draw(sheet, read, (width, height));
        let drawn = miniz_oxide::deflate::compress_to_vec_zlib(&drawn, 6);
        let mut chunk = Chunk::new();
        chunk.stream(content, &drawn).filter(Filter::FlateDecode);
        self.put(content, &chunk);

        let mut chunk = Chunk::new();
        let mut image = chunk.image_xobject(picture, &sheet.bytes);
        image.width(sheet.width as i32).height(sheet.height as i32);
        let bits = match sheet.form {
            Form::Bits => 1,
            Form::Gray | Form::Colour => 8,
        };
        image.bits_per_component(bits);
        image.filter(match sheet.form {
            Form::Bits => Filter::FlateDecode,
            Form::Gray | Form::Colour => Filter::DctDecode,
        });
        let space = image.color_space();
        match (own, sheet.form) {
            (Some(_), _) => space.icc_based(profile),
            (None, Form::Colour) => space.device_rgb(),
            (None, Form::Gray | Form::Bits) => space.device_gray(),
        }
        image.finish();
        self.put(picture, &chunk);
        if let Some(own) = own {
            let mut chunk = Chunk::new();
            let packed = miniz_oxide::deflate::compress_to_vec_zlib(own, 6);
            let mut stream = chunk.icc_profile(profile, &packed);
            stream.n(match sheet.form {
                Form::Colour => 3,
                Form::Gray | Form::Bits => 1,
            });
            stream.filter(Filter::FlateDecode);
            stream.finish();
            self.put(profile, &chunk);
        }
        self.pages.push(page);
        std::mem::take(&mut self.out)
    }

    /// The picture, and the words before it that nobody sees.
    fn draw(&mut self, sheet: &Sheet, read: &Read, (width, height): (f32, f32)) -> Vec<u8> {
        let mut content = Content::new();
        content.save_state();
        content.transform(upright(sheet.orientation, width, height));
        content.x_object(PICTURE);
        content.restore_state();
        content.begin_text();
        content.set_text_rendering_mode(TextRenderingMode::Invisible);
        let lines = read.lines().count().max(1) as f32;
        for (number, line) in read.lines().enumerate() {
            // A document's own text has no places; it is found all the same.
            let row = Corners::of_rectangle([0.0, number as f32 / lines, 1.0, 1.0 / lines]);
            let whole = line.corners.unwrap_or(row);
            let words: Vec<(&str, Corners)> = match line.words.is_empty() {
                true => vec![(line.text.as_str(), whole)],
                false => {
                    let words = line.words.iter();
                    words
                        .map(|word| (word.text.as_str(), word.corners))
                        .collect()
                }
            };
            let along = Along::of(&whole, width, height);
            content.set_font(TYPEFACE, along.size);
            let mut spans: Vec<(&str, f32, f32)> = words
                .iter()
                .map(|(word, corners)| {
                    let own = Along::of(corners, width, height);
                    let from = along.place(own.start);
                    (*word, from, (along.place(own.end) - from).max(0.0))
                })
                .collect();
            spans.sort_by(|a, b| a.1.total_cmp(&b.1));
            let mut words = spans.iter().peekable();
            while let Some((word, from, length)) = words.next() {
                let Some((_, next, _)) = words.peek() else {
                    self.show(&mut content, &along, word, (*from, *length));
                    break;
                };
                // Words that touch would be read as one.
                let room = next - from - SPACE * along.size;
                let length = length.min(room.max(length / 2.0));
                self.show(&mut content, &along, word, (*from, length));
                let gap = from + length;
                self.show(&mut content, &along, " ", (gap, (next - gap).max(0.01)));
            }
        }
        content.end_text();
        content.finish().into_vec()
    }

    /// Letters that fill a stretch of a line.
    fn show(&mut self, content: &mut Content, along: &Along, text: &str, span: (f32, f32)) {
        let codes = self.letters.codes(text);
        if codes.is_empty() {
            return;
        }
        let natural = (codes.len() / 2) as f32 * font::WIDTH * along.size;
        content.set_text_matrix(along.matrix(span.0));
        content.set_horizontal_scaling((100.0 * span.1 / natural).max(0.01));
        // What the font cannot say is said beside it.
        let is_beyond = text.chars().any(font::is_beyond);
        if is_beyond {
            let mut said = content.begin_marked_content_with_properties(Name(b"Span"));
            said.properties().actual_text(TextStr(text));
        }
        content.show(Str(&codes));
        if is_beyond {
            content.end_marked_content();
        }
    }

    /// What all pages share, and its end.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let About {
            title,
            language,
            made_at_s,
            id,
            program,
        } = self.about.clone();
        let mut chunk = Chunk::new();
        let mut catalog: Catalog<'_> = chunk.indirect(CATALOG).start();
        catalog.pages(PAGES).metadata(METADATA);
        if let Some(language) = &language {
            catalog.lang(TextStr(language));
        }
        catalog.viewer_preferences().display_doc_title(true);
        let mut intents = catalog.output_intents();
        intents
            .push()
            .subtype(OutputIntentSubtype::PDFA)
            .output_condition_identifier(TextStr("sRGB"))
            .info(TextStr("sRGB IEC61966-2.1"))
            .dest_output_profile(PROFILE);
        intents.finish();
        catalog.finish();
        self.put(CATALOG, &chunk);

        let pages = std::mem::take(&mut self.pages);
        let mut chunk = Chunk::new();
        let mut list = chunk.pages(PAGES);
        list.count(pages.len() as i32).kids(pages);
        list.finish();
        self.put(PAGES, &chunk);

        let when = Moment::of(made_at_s);
        let packet = packet(&title, language.as_deref(), &program, &when);
        let mut chunk = Chunk::new();
        chunk.metadata(METADATA, packet.as_bytes());
        self.put(METADATA, &chunk);

        let profile = moxcms::ColorProfile::new_srgb().encode();
        let profile = profile.unwrap_or_default();
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(&profile, 6);
        let mut chunk = Chunk::new();
        let mut stream = chunk.icc_profile(PROFILE, &packed);
        stream.n(3);
        stream.filter(Filter::FlateDecode);
        stream.finish();
        self.put(PROFILE, &chunk);

        let mut chunk = Chunk::new();
        let mut described = chunk.indirect(DESCRIBED).dict();
        described.pair(Name(b"Title"), TextStr(&title));
        described.pair(Name(b"Producer"), TextStr(&program));
        described.pair(Name(b"CreationDate"), when.date());
        described.pair(Name(b"ModDate"), when.date());
        described.finish();
        self.put(DESCRIBED, &chunk);

        for (at, chunk) in std::mem::take(&mut self.letters).objects(FONT) {
            self.put(at, &chunk);
        }

        let places = std::mem::take(&mut self.places);
        let mut end = format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1);
        for place in &places {
            end += &format!("{place:010} 00000 n \n");
        }
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        end += &format!(
            "trailer\n<</Size {}/Root {} 0 R/Info {} 0 R/ID[<{id}><{id}>]>>\nstartxref\n{}\n%%EOF\n",
            places.len() + 1,
            CATALOG.get(),
            DESCRIBED.get(),
            self.written
        );
        self.out.extend(end.bytes());
        self.out
    }

    /// Writes a chunk of one object.
    fn put(&mut self, id: Ref, chunk: &Chunk) {
        let number = usize::try_from(id.get() - 1).unwrap_or_default();
        if self.places.len() <= number {
            self.places.resize(number + 1, 0);
        }
        if let Some(place) = self.places.get_mut(number) {
            *place = self.written;
        }
        self.out.extend(chunk.as_bytes());
        self.written += chunk.as_bytes().len() as u64;
    }
}

/// Width and height of a page, in points, as it is shown.
fn size(sheet: &Sheet) -> (f32, f32) {
    let is_on_side = matches!(sheet.orientation, 5..=8);
    let (width, height) = (sheet.width as f32, sheet.height as f32);
    let (width, height) = if is_on_side {
        (height, width)
    } else {
        (width, height)
    };
    let longest = width.max(height).max(1.0);
    let wanted = sheet.longest_points.unwrap_or(longest * POINTS / PER_INCH);
    let scale = wanted.clamp(10.0, LONGEST) / longest;
    ((width * scale).max(3.0), (height * scale).max(3.0))
}

/// How the unit square of a stored picture is laid on the page, by its EXIF orientation.
fn upright(orientation: u8, width: f32, height: f32) -> [f32; 6] {
    let (w, h) = (width, height);
    match orientation {
        2 => [-w, 0.0, 0.0, h, w, 0.0],
        3 => [-w, 0.0, 0.0, -h, w, h],
        4 => [w, 0.0, 0.0, -h, 0.0, h],
        5 => [0.0, -h, -w, 0.0, w, h],
        6 => [0.0, -h, w, 0.0, 0.0, h],
        7 => [0.0, h, w, 0.0, 0.0, 0.0],
        8 => [0.0, h, -w, 0.0, w, 0.0],
        _ => [w, 0.0, 0.0, h, 0.0, 0.0],
    }
}

/// How a line runs on the page, in points.
struct Along {
    start: [f32; 2],
    end: [f32; 2],
    direction: [f32; 2],
    /// How high its letters are.
    size: f32,
}

impl Along {
    fn of(corners: &Corners, width: f32, height: f32) -> Self {
        let [top_left, top_right, bottom_right, bottom_left] =
            corners.0.map(|[x, y]| [x * width, (1.0 - y) * height]);
        let foot = |[top, bottom]: [[f32; 2]; 2]| {
            [
                bottom[0] + (top[0] - bottom[0]) * BELOW,
                bottom[1] + (top[1] - bottom[1]) * BELOW,
            ]
        };
        let far = |a: [f32; 2], b: [f32; 2]| (b[0] - a[0]).hypot(b[1] - a[1]);
        let (start, end) = (
            foot([top_left, bottom_left]),
            foot([top_right, bottom_right]),
        );
        let length = far(start, end);
        let direction = match length > 0.0 {
            true => [(end[0] - start[0]) / length, (end[1] - start[1]) / length],
            false => [1.0, 0.0],
        };
        let size = f32::midpoint(far(top_left, bottom_left), far(top_right, bottom_right));
        Self {
            start,
            end,
            direction,
            size: size.max(1.0),
        }
    }

    /// How far along the line a point is.
    fn place(&self, point: [f32; 2]) -> f32 {
        let [x, y] = [point[0] - self.start[0], point[1] - self.start[1]];
        x.mul_add(self.direction[0], y * self.direction[1])
    }

    fn matrix(&self, from: f32) -> [f32; 6] {
        let [x, y] = self.direction;
        let [left, foot] = self.start;
        [x, y, -y, x, left + x * from, foot + y * from]
    }
}

/// A moment as a calendar has it (UTC).
struct Moment {
    year: i64,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl Moment {
    /// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    fn of(seconds: i64) -> Self {
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let small = |number: i64| u8::try_from(number).unwrap_or_default();
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: small(month),
            day: small(day_of_year - (153 * shifted_month + 2) / 5 + 1),
            hour: small(rest / 3600),
            minute: small(rest / 60 % 60),
            second: small(rest % 60),
        }
    }

    fn date(&self) -> Date {
        Date::new(u16::try_from(self.year).unwrap_or(1970))
            .month(self.month)
            .day(self.day)
            .hour(self.hour)
            .minute(self.minute)
            .second(self.second)
            .utc_offset_hour(0)
            .utc_offset_minute(0)
    }

    fn text(&self) -> String {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+00:00")
    }
}

/// The same as metadata (XMP, ISO 16684-1), with which form of PDF/A it is.
fn packet(title: &str, language: Option<&str>, program: &str, when: &Moment) -> String {
    let (title, program, when) = (escape(title), escape(program), when.text());
    let language = language.map(|language| {
        let language = escape(language);
        format!("<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>\n")
    });
    let language = language.unwrap_or_default();
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
        <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n\
        <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
        xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\" \
        xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\">\n\
        <pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>\n\
        <dc:format>application/pdf</dc:format>\n\
        <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>\n\
        {language}<xmp:CreateDate>{when}</xmp:CreateDate><xmp:ModifyDate>{when}</xmp:ModifyDate>\n\
        <pdf:Producer>{program}</pdf:Producer>\n\
        </rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>"
    )
}

/// Text within XML 1.0, which has no control characters but white space.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\u{fffe}' | '\u{ffff}' => {}
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
