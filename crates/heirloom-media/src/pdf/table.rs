//! Where the objects of a PDF lie: its cross-reference tables and streams, newest first.

use std::collections::HashMap;

use super::{
    object::{Lexer, Object, get},
    stream::{STREAM_LIMIT, unpack},
};
use crate::{
    bytes::{index, rest, slice},
    notes::Notes,
    source::Source,
};

/// The most tables that are followed back in time.
const TABLE_LIMIT: usize = 64;

/// The longest object that is read.
const OBJECT_LIMIT: usize = 256 * 1024;

/// The most references that are followed from one to the next.
const CHAIN_LIMIT: usize = 16;

/// How much of a file without tables is searched for its objects.
const SEARCH_LIMIT: u64 = 32 * 1024 * 1024;

/// Names with their values.
type Dictionary = Vec<(String, Object)>;

/// Where an object lies.
#[derive(Debug, Clone, Copy)]
enum Place {
    At(u64),
    /// Within a stream of objects.
    Within(u32),
}

/// Part of the knowledge where objects lie.
enum Section {
    /// Twenty bytes per object in the file itself.
    Plain { first: u64, count: u64, at: u64 },
    /// Fields of fixed widths in a stream.
    Packed {
        ranges: Vec<(u64, u64)>,
        widths: [usize; 3],
        bytes: Vec<u8>,
    },
    /// Found by searching.
    Found(HashMap<u32, u64>),
}

/// All sections and trailers.
pub(super) struct Table {
    sections: Vec<Section>,
    trailers: Vec<Dictionary>,
    /// Streams of objects that were unpacked, by number.
    unpacked: HashMap<u32, Vec<u8>>,
}

impl Table {
    /// Follows the tables from the end of the file; where there are none, searches for objects.
    pub(super) fn load(source: &mut Source<'_>, out: &mut Notes) -> Option<Self> {
        let mut table = Self {
            sections: Vec::new(),
            trailers: Vec::new(),
            unpacked: HashMap::new(),
        };
        let tail_at = source.len().saturating_sub(2048);
        let tail = source.copy(tail_at, 2048);
        let start = tail.windows(9).rposition(|word| word == b"startxref");
        let mut next = start.and_then(|at| {
            Lexer {
                bytes: rest(&tail, at + 9),
                at: 0,
            }
            .whole()
        });
        let mut visited = Vec::new();
        while let Some(at) = next.filter(|at| !visited.contains(at) && visited.len() < TABLE_LIMIT)
        {
            visited.push(at);
            let Some(trailer) = table.section(source, at, out) else {
                break;
            };
            if let Some(Object::Number(hybrid)) = get(&trailer, "XRefStm") {
                table.section(source, whole(*hybrid), out);
            }
            next = match get(&trailer, "Prev") {
                Some(Object::Number(previous)) => Some(whole(*previous)),
                _ => None,
            };
            table.trailers.push(trailer);
        }
        let is_sound = table
            .trailer("Root")
            .cloned()
            .is_some_and(|root| matches!(table.resolve(source, root, out), Object::Dictionary(_)));
        if !is_sound {
            out.problem("The PDF's table of objects is damaged.");
            table.search(source);
        }
        (!table.trailers.is_empty()).then_some(table)
    }

    /// A value of the newest trailer that has it.
    pub(super) fn trailer(&self, name: &str) -> Option<&Object> {
        self.trailers.iter().find_map(|trailer| get(trailer, name))
    }

    /// An object, references followed; nothing known of it is `Word`.
    pub(super) fn resolve(
        &mut self,
        source: &mut Source<'_>,
        object: Object,
        out: &mut Notes,
    ) -> Object {
        let mut object = object;
        for _ in 0..CHAIN_LIMIT {
            let Object::Reference(number) = object else {
                return object;
            };
            object = self
                .load_object(source, number, 0, out)
                .map_or(Object::Word, |(object, _)| object);
        }
        Object::Word
    }

    /// The content of a stream, unpacked.
    pub(super) fn stream(
        &mut self,
        source: &mut Source<'_>,
        object: &Object,
        out: &mut Notes,
    ) -> Option<Vec<u8>> {
        let Object::Reference(number) = object else {
            return None;
        };
        self.stream_of(source, *number, 0, out)
            .map(|(_, content)| content)
    }

    fn stream_of(
        &mut self,
        source: &mut Source<'_>,
        number: u32,
        depth: usize,
        out: &mut Notes,
    ) -> Option<(Dictionary, Vec<u8>)> {
        let (Object::Dictionary(head), Some(at)) = self.load_object(source, number, depth, out)?
        else {
            return None;
        };
        let len = match get(&head, "Length")?.clone() {
            Object::Reference(number) => self.load_object(source, number, depth + 1, out)?.0,
            length => length,
        };
        let Object::Number(len) = len else {
            return None;
        };
        let content = unpack(
            &head,
            &source.copy(at, index(whole(len)).min(STREAM_LIMIT)),
            out,
        )?;
        Some((head, content))
    }

    /// An object, and where the content of its stream begins if it is one.
    fn load_object(
        &mut self,
        source: &mut Source<'_>,
        number: u32,
        depth: usize,
        out: &mut Notes,
    ) -> Option<(Object, Option<u64>)> {
        if depth > 4 {
            return None;
        }
        match self.place(source, number)? {
            Place::At(at) => object_at(source, at, Some(number), OBJECT_LIMIT),
            Place::Within(container) => self.contained(source, container, number, depth, out),
        }
    }

    fn contained(
        &mut self,
        source: &mut Source<'_>,
        container: u32,
        number: u32,
        depth: usize,
        out: &mut Notes,
    ) -> Option<(Object, Option<u64>)> {
        if !self.unpacked.contains_key(&container) {
            let (head, content) = self.stream_of(source, container, depth + 1, out)?;
            let (Object::Number(count), Object::Number(first)) =
                (get(&head, "N")?, get(&head, "First")?)
            else {
                return None;
            };
            // The head is kept in front, so that one block holds all that is needed.
            let mut block = whole(*count).to_be_bytes().to_vec();
            block.extend_from_slice(&whole(*first).to_be_bytes());
            block.extend_from_slice(&content);
            if self.unpacked.len() >= 4 {
                self.unpacked.clear();
            }
            self.unpacked.insert(container, block);
        }
        let block = self.unpacked.get(&container)?;
        let (count, first) = (crate::bytes::be64(block, 0)?, crate::bytes::be64(block, 8)?);
        let content = rest(block, 16);
        let mut numbers = Lexer {
            bytes: content,
            at: 0,
        };
        for _ in 0..count.min(100_000) {
            let (own, offset) = (numbers.whole()?, numbers.whole()?);
            if own == u64::from(number) {
                let at = index(first.saturating_add(offset));
                return Lexer { bytes: content, at }
                    .object()
                    .map(|object| (object, None));
            }
        }
        None
    }

    fn place(&self, source: &mut Source<'_>, number: u32) -> Option<Place> {
        let wanted = u64::from(number);
        for section in &self.sections {
            match section {
                Section::Plain { first, count, at } => {
                    let Some(row) = wanted.checked_sub(*first).filter(|row| row < count) else {
                        continue;
                    };
                    let entry = source.copy(at.saturating_add(row * 20), 20);
                    let offset = Lexer {
                        bytes: &entry,
                        at: 0,
                    }
                    .whole()
                    .unwrap_or(0);
                    if entry.get(17) == Some(&b'n') && offset > 0 {
                        return Some(Place::At(offset));
                    }
                }
                Section::Packed {
                    ranges,
                    widths,
                    bytes,
                } => {
                    if let Some(place) = packed_place(ranges, *widths, bytes, wanted) {
                        return Some(place);
                    }
                }
                Section::Found(offsets) => {
                    if let Some(at) = offsets.get(&number) {
                        return Some(Place::At(*at));
                    }
                }
            }
        }
        None
    }

    /// Reads the table or stream at `at`; gives its trailer.
    fn section(&mut self, source: &mut Source<'_>, at: u64, out: &mut Notes) -> Option<Dictionary> {
        let block = source.copy(at, 1024);
        let mut lexer = Lexer {
            bytes: &block,
            at: 0,
        };
        if !lexer.accept(b"xref") {
            return self.packed(source, at, out);
        }
        let mut at = at.saturating_add(lexer.at as u64);
        for _ in 0..10_000 {
            let block = source.copy(at, 64);
            let mut lexer = Lexer {
                bytes: &block,
                at: 0,
            };
            if lexer.accept(b"trailer") {
                let block = source.copy(at.saturating_add(lexer.at as u64), OBJECT_LIMIT);
                return match (Lexer {
                    bytes: &block,
                    at: 0,
                })
                .object()?
                {
                    Object::Dictionary(trailer) => Some(trailer),
                    _ => None,
                };
            }
            let (first, count) = (lexer.whole()?, lexer.whole()?);
            while rest(&block, lexer.at)
                .first()
                .is_some_and(u8::is_ascii_whitespace)
            {
                lexer.at = lexer.at.saturating_add(1);
            }
            at = at.saturating_add(lexer.at as u64);
            self.sections.push(Section::Plain { first, count, at });
            at = at.saturating_add(count.saturating_mul(20));
        }
        None
    }

    fn packed(&mut self, source: &mut Source<'_>, at: u64, out: &mut Notes) -> Option<Dictionary> {
        let (Object::Dictionary(head), Some(content_at)) =
            object_at(source, at, None, OBJECT_LIMIT)?
        else {
            return None;
        };
        let numbers = |name: &str| match get(&head, name) {
            Some(Object::List(items)) => Some(
                items
                    .iter()
                    .map(|item| {
                        if let Object::Number(n) = item {
                            whole(*n)
                        } else {
                            0
                        }
                    })
                    .collect::<Vec<_>>(),
            ),
            _ => None,
        };
        let widths = numbers("W")?;
        let [kind, place, more] = *widths.get(..3)? else {
            return None;
        };
        if kind > 8 || place > 8 || more > 8 {
            return None;
        }
        let size = if let Some(Object::Number(size)) = get(&head, "Size") {
            whole(*size)
        } else {
            0
        };
        let ranges = numbers("Index").unwrap_or_else(|| vec![0, size]);
        let ranges = ranges
            .chunks_exact(2)
            .filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)))
            .collect();
        let Some(Object::Number(len)) = get(&head, "Length") else {
            return None;
        };
        let bytes = unpack(
            &head,
            &source.copy(content_at, index(whole(*len)).min(STREAM_LIMIT)),
            out,
        )?;
        let widths = [index(kind), index(place), index(more)];
        self.sections.push(Section::Packed {
            ranges,
            widths,
            bytes,
        });
        Some(head)
    }

    /// Searches the file for objects and trailers, when it does not say where they are.
    fn search(&mut self, source: &mut Source<'_>) {
        const STEP: usize = 1024 * 1024;
        let mut found = HashMap::new();
        let mut trailers = Vec::new();
        let mut at = 0_u64;
        while at < source.len().min(SEARCH_LIMIT) && found.len() < 100_000 {
            // Pieces overlap, so that nothing is cut in two.
            let block = source.copy(at, STEP + 64);
            for (place, _) in block
                .windows(4)
                .enumerate()
                .filter(|(_, word)| *word == b" obj")
            {
                if let Some((number, start)) = object_number(&block, place) {
                    found.insert(number, at.saturating_add(start as u64));
                }
            }
            for (place, _) in block
                .windows(7)
                .enumerate()
                .filter(|(_, word)| *word == b"trailer")
            {
                let trailer = Lexer {
                    bytes: &block,
                    at: place + 7,
                }
                .object();
                if let Some(Object::Dictionary(trailer)) = trailer
                    && trailers.len() < TABLE_LIMIT
                {
                    trailers.push(trailer);
                }
            }
            at = at.saturating_add(STEP as u64);
        }
        // Files of the newer kind have no trailers; their beginning is an object that says so.
        let mut numbers: Vec<(u32, u64)> =
            found.iter().map(|(number, at)| (*number, *at)).collect();
        numbers.sort_unstable();
        for (number, at) in numbers.into_iter().take(5_000) {
            if let Some((Object::Dictionary(object), _)) = object_at(source, at, Some(number), 0)
                && get(&object, "Type") == Some(&Object::Name("Catalog".to_owned()))
            {
                trailers.push(vec![("Root".to_owned(), Object::Reference(number))]);
            }
        }
        trailers.reverse();
        trailers.append(&mut self.trailers);
        self.trailers = trailers;
        self.sections.insert(0, Section::Found(found));
    }
}

/// The number before `0 obj`, and where it begins.
fn object_number(block: &[u8], obj_at: usize) -> Option<(u32, usize)> {
    let digits = |end: usize| {
        let start = block
            .get(..end)?
            .iter()
            .rposition(|byte| !byte.is_ascii_digit())
            .map_or(0, |at| at + 1);
        (start < end).then_some(start)
    };
    let generation = digits(obj_at)?;
    let end = generation
        .checked_sub(1)
        .filter(|at| block.get(*at) == Some(&b' '))?;
    let start = digits(end)?;
    let number = std::str::from_utf8(block.get(start..end)?)
        .ok()?
        .parse()
        .ok()?;
    Some((number, start))
}

/// The object at a place of the file, and where the content of its stream begins.
fn object_at(
    source: &mut Source<'_>,
    at: u64,
    number: Option<u32>,
    limit: usize,
) -> Option<(Object, Option<u64>)> {
    let mut len = 4 * 1024;
    loop {
        let block = source.copy(at, len);
        let mut lexer = Lexer {
            bytes: &block,
            at: 0,
        };
        let own = lexer.whole()?;
        lexer.whole()?;
        if !lexer.accept(b"obj") || number.is_some_and(|number| u64::from(number) != own) {
            return None;
        }
        match lexer.object() {
            Some(object) if lexer.at < block.len() || block.len() < len => {
                if !lexer.accept(b"stream") {
                    return Some((object, None));
                }
                // A line ends after the word.
                let skip = match rest(&block, lexer.at) {
                    [b'\r', b'\n', ..] => 2,
                    [b'\r' | b'\n', ..] => 1,
                    _ => 0,
                };
                return Some((object, Some(at.saturating_add((lexer.at + skip) as u64))));
            }
            _ if len < limit && block.len() == len => len *= 8,
            _ => return None,
        }
    }
}

fn packed_place(
    ranges: &[(u64, u64)],
    widths: [usize; 3],
    bytes: &[u8],
    wanted: u64,
) -> Option<Place> {
    let [kind_width, place_width, more_width] = widths;
    let row_len = kind_width + place_width + more_width;
    let mut before = 0_u64;
    for (first, count) in ranges {
        if let Some(row) = wanted.checked_sub(*first).filter(|row| row < count) {
            let at = index(before.saturating_add(row)).saturating_mul(row_len);
            let row = slice(bytes, at, row_len)?;
            let field = |from: usize, width: usize| {
                slice(row, from, width).map(|b| {
                    b.iter()
                        .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
                })
            };
            let kind = if kind_width == 0 {
                1
            } else {
                field(0, kind_width)?
            };
            let place = field(kind_width, place_width)?;
            return match kind {
                1 => Some(Place::At(place)),
                2 => u32::try_from(place).ok().map(Place::Within),
                _ => None,
            };
        }
        before = before.saturating_add(*count);
    }
    None
}

/// A number as an offset or count; what is none is past every end.
pub(super) fn whole(number: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked"
    )]
    if (0.0..9e15).contains(&number) {
        number as u64
    } else {
        u64::MAX
    }
}
