//! XML as a small tree, from any bytes: bounded, lenient, and deaf to what a document type declares.
//!
//! No entity is expanded but the five of XML itself and character numbers; nothing outside is read.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use crate::{bytes::Endian, text};

/// How deep elements may lie within each other.
const DEPTH_LIMIT: usize = 64;

/// How many elements and attributes are kept.
const NODE_LIMIT: usize = 50_000;

/// How many prefixes may be declared at one place.
const PREFIX_LIMIT: usize = 200;

/// Namespaces by their one true prefix, whatever a file calls them.
const NAMESPACES: [(&str, &str); 31] = [
    ("adobe:ns:meta/", "x"),
    ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf"),
    ("http://purl.org/dc/elements/1.1/", "dc"),
    ("http://purl.org/dc/terms/", "dcterms"),
    ("http://ns.adobe.com/xap/1.0/", "xmp"),
    ("http://ns.adobe.com/xap/1.0/mm/", "xmpMM"),
    ("http://ns.adobe.com/xmp/1.0/DynamicMedia/", "xmpDM"),
    ("http://ns.adobe.com/xmp/note/", "xmpNote"),
    ("http://ns.adobe.com/photoshop/1.0/", "photoshop"),
    ("http://ns.adobe.com/pdf/1.3/", "pdf"),
    ("http://ns.adobe.com/tiff/1.0/", "tiff"),
    ("http://ns.adobe.com/exif/1.0/", "exif"),
    ("http://cipa.jp/exif/1.0/", "exifEX"),
    ("http://ns.adobe.com/exif/1.0/aux/", "aux"),
    ("http://ns.adobe.com/lightroom/1.0/", "lr"),
    ("http://www.digikam.org/ns/1.0/", "digiKam"),
    ("http://ns.microsoft.com/photo/1.0", "MicrosoftPhoto"),
    ("http://ns.microsoft.com/photo/1.0/", "MicrosoftPhoto"),
    ("http://ns.microsoft.com/photo/1.2/", "MP"),
    ("http://ns.microsoft.com/photo/1.2/t/RegionInfo#", "MPRI"),
    ("http://ns.microsoft.com/photo/1.2/t/Region#", "MPReg"),
    (
        "http://www.metadataworkinggroup.com/schemas/regions/",
        "mwg-rs",
    ),
    ("http://ns.adobe.com/xmp/sType/Area#", "stArea"),
    ("http://ns.adobe.com/xap/1.0/sType/Dimensions#", "stDim"),
    (
        "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
        "Iptc4xmpCore",
    ),
    ("http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "Iptc4xmpExt"),
    ("http://ns.google.com/photos/1.0/camera/", "GCamera"),
    ("http://ns.acdsee.com/iptc/1.0/", "acdsee"),
    ("http://ns.iview-multimedia.com/mediapro/1.0/", "mediapro"),
    ("http://ns.useplus.org/ldf/xmp/1.0/", "plus"),
    ("http://www.w3.org/XML/1998/namespace", "xml"),
];

/// An element with what is in it.
#[derive(Debug, Default)]
pub(crate) struct Element {
    /// Its name with the known prefix of its namespace, such as `dc:title`.
    pub(crate) name: String,
    /// Its attributes by their names, without namespace declarations.
    pub(crate) attributes: Vec<(String, String)>,
    /// The elements in it.
    pub(crate) children: Vec<Element>,
    /// The text directly in it.
    pub(crate) text: String,
}

impl Element {
    /// The first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The name without its prefix.
    pub(crate) fn local_name(&self) -> &str {
        local(&self.name)
    }

    /// The first element of a name, here or anywhere below.
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(name))
    }

    /// Every element here and below, in the order of the document.
    pub(crate) fn visit<'e>(&'e self, visit: &mut dyn FnMut(&'e Self)) {
        visit(self);
        for child in &self.children {
            child.visit(visit);
        }
    }
}

/// The part of a name after its prefix.
pub(crate) fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// A document as far as it can be read; the root has no name and holds what stands at the top.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// Holds the top elements.
    pub(crate) root: Element,
    /// Why reading ended before the end, or what was left out.
    pub(crate) problem: Option<&'static str>,
}

/// Bytes as text by their byte order mark, or by the look of their first characters.
pub(crate) fn decode(bytes: &[u8]) -> String {
    match bytes {
        [0xFE, 0xFF, ..] | [0, b'<', ..] => text::decode_utf16(bytes, Endian::Big),
        [0xFF, 0xFE, ..] | [b'<', 0, ..] => text::decode_utf16(bytes, Endian::Little),
        [0xEF, 0xBB, 0xBF, rest @ ..] => text::decode_all(rest),
        _ => text::decode_all(bytes),
    }
}

/// Reads a document.
pub(crate) fn parse(text: &str) -> Document {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    let mut tree = Tree {
        open: vec![Open::default()],
        nodes: 0,
        problem: None,
    };
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                if !tree.start(&start) {
                    break;
                }
            }
            Ok(Event::Empty(start)) => {
                if !tree.start(&start) {
                    break;
                }
                tree.close();
            }
            Ok(Event::End(end)) => tree.end(end.name().as_ref()),
            Ok(Event::Text(words)) => tree.words(&words.xml10_content()),
            Ok(Event::CData(words)) => tree.words(&words.xml10_content()),
            Ok(Event::GeneralRef(reference)) => match reference.resolve_char_ref() {
                Ok(Some(character)) => tree.words(character.encode_utf8(&mut [0; 4])),
                _ => match predefined(&reference.xml10_content()) {
                    Some(character) => tree.words(character),
                    None => tree.problem = Some("It names an entity, which is not expanded."),
                },
            },
            Ok(Event::DocType(_)) => {
                tree.problem = Some("It declares a document type, which is not read.");
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => {
                tree.problem = Some("Its XML is broken; what came before was read.");
                break;
            }
        }
    }
    tree.finish()
}

/// An element that is still open, with the prefixes that it declares.
#[derive(Default)]
struct Open {
    raw_name: String,
    element: Element,
    prefixes: Vec<(String, Option<&'static str>)>,
}

struct Tree {
    open: Vec<Open>,
    nodes: usize,
    problem: Option<&'static str>,
}

impl Tree {
    /// Opens an element; `false` where the limits end the reading.
    fn start(&mut self, start: &BytesStart<'_>) -> bool {
        if self.open.len() > DEPTH_LIMIT {
            self.problem = Some("Its elements lie too deep; the rest was not read.");
            return false;
        }
        let mut attributes = Vec::new();
        let mut prefixes = Vec::new();
        let declared: usize = self.open.iter().map(|open| open.prefixes.len()).sum();
        for attribute in start.attributes().with_checks(false).flatten() {
            self.nodes += 1;
            if self.nodes > NODE_LIMIT {
                break;
            }
            let key = attribute.key.as_ref();
            let value = unescape(attribute.value.as_ref());
            match key.strip_prefix("xmlns:") {
                Some(prefix) if declared + prefixes.len() < PREFIX_LIMIT => {
                    prefixes.push((prefix.to_owned(), known_prefix(&value)));
                }
                Some(_) => {}
                None if key == "xmlns" => {}
                None => attributes.push((key.to_owned(), value)),
            }
        }
        self.nodes += 1;
        if self.nodes > NODE_LIMIT {
            self.problem = Some("It has too many elements; the rest was not read.");
            return false;
        }
        let raw_name = start.name().as_ref().to_owned();
        self.open.push(Open {
            raw_name: raw_name.clone(),
            prefixes,
            element: Element::default(),
        });
        let name = self.resolve(&raw_name);
        let attributes = attributes
            .into_iter()
            .map(|(key, value)| (self.resolve(&key), value))
            .collect();
        if let Some(open) = self.open.last_mut() {
            open.element = Element {
                name,
                attributes,
                ..Element::default()
            };
        }
        true
    }

    fn end(&mut self, raw_name: &str) {
        let is_open = self
            .open
            .iter()
            .skip(1)
            .any(|open| open.raw_name == raw_name);
        while is_open && self.open.len() > 1 {
            let is_it = self
                .open
                .last()
                .is_some_and(|open| open.raw_name == raw_name);
            self.close();
            if is_it {
                break;
            }
        }
    }

    fn close(&mut self) {
        if self.open.len() < 2 {
            return;
        }
        if let Some(closed) = self.open.pop()
            && let Some(parent) = self.open.last_mut()
        {
            parent.element.children.push(closed.element);
        }
    }

    fn words(&mut self, words: &str) {
        if let Some(open) = self.open.last_mut() {
            open.element.text.push_str(words);
        }
    }

    /// A name with the prefix that its namespace is known by.
    fn resolve(&self, name: &str) -> String {
        let Some((prefix, local)) = name.split_once(':') else {
            return name.to_owned();
        };
        let known = self
            .open
            .iter()
            .rev()
            .flat_map(|open| &open.prefixes)
            .find(|(declared, _)| declared == prefix)
            .and_then(|(_, known)| *known);
        match known {
            Some(known) => format!("{known}:{local}"),
            None => name.to_owned(),
        }
    }

    fn finish(mut self) -> Document {
        while self.open.len() > 1 {
            self.close();
        }
        let root = self.open.pop().unwrap_or_default().element;
        Document {
            root,
            problem: self.problem,
        }
    }
}

fn known_prefix(uri: &str) -> Option<&'static str> {
    NAMESPACES
        .iter()
        .find(|(known, _)| *known == uri)
        .map(|(_, prefix)| *prefix)
}

fn predefined(name: &str) -> Option<&'static str> {
    Some(match name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        _ => return None,
    })
}

/// An attribute's value with its references resolved; unknown ones stay as they are written.
pub(crate) fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        let resolved = after.split_once(';').and_then(|(name, rest)| {
            if let Some(known) = predefined(name) {
                return Some((known.to_owned(), rest));
            }
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            Some((char::from_u32(number)?.to_string(), rest))
        });
        match resolved {
            Some((character, after)) => {
                text.push_str(&character);
                rest = after;
            }
            None => {
                text.push('&');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_known_prefix_of_its_namespace_whatever_the_file_calls_it() {
        let text = r#"<a xmlns:d="http://purl.org/dc/elements/1.1/"><d:title d:x="1 &amp; &#x41;&nbsp;">A &lt; &#66;<![CDATA[<C>]]></d:title></a>"#;
        let document = parse(text);
        let title = document.root.find("dc:title").unwrap();
        assert_eq!(title.text, "A < B<C>");
        assert_eq!(title.attribute("dc:x"), Some("1 & A&nbsp;"));
    }

    #[test]
    fn a_declared_entity_is_never_expanded() {
        let bomb = r#"<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>"#;
        let document = parse(bomb);
        assert_eq!(document.root.find("x").unwrap().text, "");
        assert!(document.problem.is_some());
    }

    #[test]
    fn broken_xml_is_read_as_far_as_it_goes() {
        let document = parse("<a><b>one</b><c>two</a><d");
        assert_eq!(document.root.find("b").unwrap().text, "one");
        assert_eq!(document.root.find("c").unwrap().text, "two");
    }

    #[test]
    fn depth_and_number_of_elements_are_bounded() {
        let document = parse(&"<a>".repeat(100_000));
        assert!(document.problem.is_some());
        let document = parse(&format!("<r>{}</r>", "<a/>".repeat(100_000)));
        assert!(document.problem.is_some());
        assert!(document.root.find("r").unwrap().children.len() <= NODE_LIMIT);
    }
}
