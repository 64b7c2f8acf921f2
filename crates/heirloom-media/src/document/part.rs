//! The parts of an office file: XML in a ZIP archive, unpacked within bounds and read as it comes.

use quick_xml::{Reader, events::Event};

use super::DocumentError;
use crate::{source::Source, xml, zip};

/// Where OpenDocument lists its parts.
const MANIFEST: &str = "META-INF/manifest.xml";

/// An office file.
pub(super) struct Parts<'a> {
    source: Source<'a>,
    entries: Vec<zip::Entry>,
    /// How many bytes may still be unpacked.
    bytes_left: usize,
    problem: Option<&'static str>,
}

/// Something in a part, in its order.
pub(super) enum Token<'t> {
    /// An element begins; its name without a prefix, and its attributes.
    Start(&'t str, &'t Attributes<'t>),
    /// An element ends. One that is empty ends as soon as it begins.
    End(&'t str),
    /// Words.
    Words(&'t str),
}

/// The attributes of an element.
pub(super) struct Attributes<'t>(Vec<(&'t str, String)>);

impl Attributes<'_> {
    /// The value of an attribute by its name without a prefix.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter();
        all.find(|(key, _)| xml::local(key) == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Whether to read on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    On,
    Stop,
}

impl<'a> Parts<'a> {
    pub(super) fn new(mut source: Source<'a>, bytes: usize) -> Self {
        let entries = zip::entries(&mut source);
        Self {
            source,
            entries,
            bytes_left: bytes,
            problem: None,
        }
    }

    /// What went wrong with a part that was read.
    pub(super) const fn problem(&self) -> Option<&'static str> {
        self.problem
    }

    /// Whether there is such a part.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    /// Whether the file says that its parts are encrypted, as OpenDocument does in its list of them.
    pub(super) fn is_encrypted(&mut self) -> bool {
        let mut is_encrypted = false;
        if self.has(MANIFEST) {
            let problem = self.problem;
            let _ = self.read(MANIFEST, |token| {
                is_encrypted |= matches!(token, Token::Start("encryption-data", _));
                if is_encrypted { Go::Stop } else { Go::On }
            });
            self.problem = problem;
        }
        is_encrypted
    }

    /// Reads a part from its beginning, giving `take` one token after the other.
    ///
    /// # Errors
    /// When there is no such part, or nothing of it can be unpacked. What is broken later ends the reading
    /// and is a [problem](Self::problem).
    pub(super) fn read(
        &mut self,
        name: &str,
        mut take: impl FnMut(Token<'_>) -> Go,
    ) -> Result<(), DocumentError> {
        let entry = self.entries.iter().find(|entry| entry.name == name);
        let entry = entry.ok_or_else(|| DocumentError::damaged(format!("it has no {name}")))?;
        let (plain, is_whole) = entry
            .unpack(&mut self.source, self.bytes_left)
            .ok_or_else(|| DocumentError::damaged(format!("{name} cannot be unpacked")))?;
        if !is_whole {
            self.problem =
                Some("Parts of the document are damaged or missing, or larger than is read.");
        }
        self.bytes_left = self.bytes_left.saturating_sub(plain.len());
        let text = xml::decode(&plain);
        drop(plain);
        let is_sound = walk(&text, &mut take);
        if !is_sound && self.problem.is_none() {
            self.problem = Some("The document is damaged; what came before was read.");
        }
        Ok(())
    }
}

/// Gives the tokens of a text; `false` where it is broken.
fn walk(text: &str, take: &mut impl FnMut(Token<'_>) -> Go) -> bool {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    loop {
        let go = match reader.read_event() {
            Ok(event @ (Event::Start(_) | Event::Empty(_))) => {
                let is_empty = matches!(event, Event::Empty(_));
                let (Event::Start(start) | Event::Empty(start)) = &event else {
                    continue;
                };
                let mut attributes = start.attributes();
                let attributes = attributes.with_checks(false).flatten();
                let attributes: Vec<(&str, String)> = attributes
                    .map(|attribute| {
                        (
                            attribute.key.into_inner(),
                            xml::unescape(attribute.value.as_ref()),
                        )
                    })
                    .collect();
                let name = start.name();
                let name = xml::local(name.into_inner());
                let go = take(Token::Start(name, &Attributes(attributes)));
                if is_empty && go == Go::On {
                    take(Token::End(name))
                } else {
                    go
                }
            }
            Ok(Event::End(end)) => take(Token::End(xml::local(end.name().into_inner()))),
            Ok(Event::Text(words)) => take(Token::Words(&words.xml10_content())),
            Ok(Event::CData(words)) => take(Token::Words(&words.xml10_content())),
            // The five of XML itself, and characters by number.
            Ok(Event::GeneralRef(reference)) => {
                let written = format!("&{};", reference.xml10_content());
                take(Token::Words(&xml::unescape(&written)))
            }
            Ok(Event::Eof) => return true,
            Ok(_) => Go::On,
            Err(_) => return false,
        };
        if go == Go::Stop {
            return true;
        }
    }
}
