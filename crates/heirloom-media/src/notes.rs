//! What readers write down while they read: findings that are valid, within bounds that keep a
//! hostile file from flooding memory or time.

use std::collections::BTreeMap;

use heirloom_core::{
    Edtf,
    claim::{ClaimKind, ClaimValue, Statement},
};
use miniz_oxide::inflate::{
    TINFLStatus, decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit,
};

use crate::{
    finding::{Facts, Finding, Metadata, Problem},
    moment::Reading,
    property, text,
};

/// The most findings and the most problems that are kept.
const FINDING_LIMIT: usize = 2_000;
const PROBLEM_LIMIT: usize = 20;

/// The most statements that are looked at, repetitions included.
const STATEMENT_LIMIT: usize = 10_000;

/// The most bytes of text in all findings.
const TEXT_LIMIT: usize = 1024 * 1024;

/// The most properties, and the longest value of one in bytes.
const PROPERTY_LIMIT: usize = 300;
const PROPERTY_BYTES: usize = 8 * 1024;
const REGIONS_BYTES: usize = 128 * 1024;

/// The most packets (EXIF, XMP, IPTC) of one file that are read, and their bytes, unpacked.
const PACKET_LIMIT: usize = 64;
const PACKET_BYTES: usize = 24 * 1024 * 1024;

/// A reading in progress.
#[derive(Debug)]
pub(crate) struct Notes {
    /// Measures of the content.
    pub(crate) facts: Facts,
    /// What was found so far.
    pub(crate) findings: Vec<Finding>,
    /// Whether the file was made by a scanner, so that its dates are not of what is on it.
    pub(crate) is_scan: bool,
    properties: BTreeMap<String, String>,
    problems: Vec<Problem>,
    statements_left: usize,
    text_left: usize,
    packets_left: usize,
    packet_bytes_left: usize,
}

/// What scanners and their programs fill with the day of the scan.
const DATES_OF_SCANS: [&str; 3] = [
    "exif:DateTimeOriginal",
    "exif:DateTimeDigitized",
    "xmp:xmp:CreateDate",
];

/// How sure the day of a scan is as the date of what was scanned: less than any name of a file.
const SCAN: f32 = 0.1;

impl Default for Notes {
    fn default() -> Self {
        Self {
            facts: Facts::default(),
            findings: Vec::new(),
            is_scan: false,
            properties: BTreeMap::new(),
            problems: Vec::new(),
            statements_left: STATEMENT_LIMIT,
            text_left: TEXT_LIMIT,
            packets_left: PACKET_LIMIT,
            packet_bytes_left: PACKET_BYTES,
        }
    }
}

impl Notes {
    /// What was found.
    pub(crate) fn finish(self) -> Metadata {
        let mut findings = self.findings;
        for finding in &mut findings {
            if self.is_scan && DATES_OF_SCANS.contains(&finding.source.as_str()) {
                finding.confidence = finding.confidence.min(SCAN);
            }
        }
        Metadata {
            facts: self.facts,
            findings,
            properties: self.properties,
            problems: self.problems,
        }
    }

    /// Takes over the notes on a file within the file.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.facts.absorb(other.facts);
        self.is_scan |= other.is_scan;
        for finding in other.findings {
            self.keep(finding);
        }
        for (name, value) in other.properties {
            self.property(&name, value);
        }
        for problem in other.problems {
            self.problem(problem.what);
        }
    }

    /// Whether a packet of so many bytes may still be read; then it counts as read.
    pub(crate) fn allow_packet(&mut self, len: usize) -> bool {
        match (
            self.packets_left.checked_sub(1),
            self.packet_bytes_left.checked_sub(len),
        ) {
            (Some(packets), Some(bytes)) => {
                (self.packets_left, self.packet_bytes_left) = (packets, bytes);
                true
            }
            _ => {
                self.problem(
                    "The file has more metadata than any camera writes; the rest was not read.",
                );
                false
            }
        }
    }

    /// Unpacks a deflated stream with its head and checksum, as far as it is allowed and sound.
    pub(crate) fn inflate(&mut self, packed: &[u8], limit: usize) -> Option<Vec<u8>> {
        self.unpack(packed, limit, decompress_to_vec_zlib_with_limit)
    }

    /// Unpacks a deflated stream that has neither.
    pub(crate) fn inflate_bare(&mut self, packed: &[u8], limit: usize) -> Option<Vec<u8>> {
        self.unpack(packed, limit, decompress_to_vec_with_limit)
    }

    fn unpack(
        &mut self,
        packed: &[u8],
        limit: usize,
        unpack: fn(&[u8], usize) -> Result<Vec<u8>, miniz_oxide::inflate::DecompressError>,
    ) -> Option<Vec<u8>> {
        let limit = limit.min(self.packet_bytes_left);
        if limit == 0 || self.packets_left == 0 {
            self.allow_packet(usize::MAX);
            return None;
        }
        let plain = match unpack(packed, limit) {
            Ok(plain) => plain,
            // What came out before the damage.
            Err(error) if error.status != TINFLStatus::HasMoreOutput => error.output,
            Err(_) => Vec::new(),
        };
        (self.allow_packet(plain.len()) && !plain.is_empty()).then_some(plain)
    }

    /// Notes a problem, once.
    pub(crate) fn problem(&mut self, what: impl Into<String>) {
        let problem = Problem { what: what.into() };
        if self.problems.len() < PROBLEM_LIMIT && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Keeps a property unless the name is taken or the value is empty.
    pub(crate) fn property(&mut self, name: &str, value: impl AsRef<str>) {
        let limit = if name == property::REGIONS {
            REGIONS_BYTES
        } else {
            PROPERTY_BYTES
        };
        let value = text::clean(value.as_ref(), limit);
        if !value.is_empty() && self.properties.len() < PROPERTY_LIMIT {
            self.properties.entry(name.to_owned()).or_insert(value);
        }
    }

    /// Keeps a text as a statement; an empty one states nothing.
    pub(crate) fn text(&mut self, kind: ClaimKind, words: &str, source: &str, confidence: f32) {
        let words = text::clean(words, ClaimValue::MAX_TEXT_BYTES);
        if !words.is_empty() {
            self.state(kind, ClaimValue::Text(words), source, confidence);
        }
    }

    /// Keeps a number as a statement; one out of bounds is a problem, and no stars are no rating.
    pub(crate) fn number(&mut self, kind: ClaimKind, number: i64, source: &str, confidence: f32) {
        if kind == ClaimKind::Rating && number == 0 {
            return;
        }
        if !self.state(kind, ClaimValue::Number(number), source, confidence) {
            self.problem(format!("{source} is {number}, which is no {kind}."));
        }
    }

    /// Keeps a date as a statement; one that cannot be read is a problem, a blank one is nothing.
    pub(crate) fn date(&mut self, reading: Reading, source: &str, confidence: f32) {
        match reading {
            Reading::Moment(moment) => {
                // 1970 begins where computers count from: it stands for no date at all. The first
                // second of another year can be meant, but mostly is not.
                if moment.is_first_of_year() && moment.year == 1970 {
                    self.problem(format!("{source} is a clock's zero and no date."));
                    return;
                }
                let confidence = if moment.is_first_of_year() {
                    confidence * 0.5
                } else {
                    confidence
                };
                if let Some(edtf) = moment.edtf() {
                    self.state(ClaimKind::Date, ClaimValue::Date(edtf), source, confidence);
                }
            }
            Reading::Blank => {}
            Reading::Unreadable => self.problem(format!("{source} is no date.")),
        }
    }

    /// Keeps a date of any vagueness as a statement.
    pub(crate) fn edtf(&mut self, date: Edtf, source: &str, confidence: f32) {
        self.state(ClaimKind::Date, ClaimValue::Date(date), source, confidence);
    }

    /// Keeps a position as a statement; an impossible one is a problem.
    pub(crate) fn position(
        &mut self,
        latitude: f64,
        longitude: f64,
        altitude_m: Option<f64>,
        source: &str,
        confidence: f32,
    ) {
        // A receiver without a fix writes zeros; nobody's photograph is from that point in the sea.
        if latitude == 0.0 && longitude == 0.0 {
            self.problem(format!(
                "{source} is 0, 0: a position that was never found."
            ));
            return;
        }
        let altitude_m = altitude_m.filter(|metres| (-12_000.0..=100_000.0).contains(metres));
        let value = ClaimValue::Position {
            latitude,
            longitude,
            altitude_m,
        };
        if !self.state(ClaimKind::Position, value, source, confidence) {
            self.problem(format!(
                "{source} is {latitude}, {longitude}: no place on Earth."
            ));
        }
    }

    /// Keeps a statement if its value fits its kind, and says whether it does.
    fn state(&mut self, kind: ClaimKind, value: ClaimValue, source: &str, confidence: f32) -> bool {
        match Statement::new(kind, value) {
            Ok(statement) => {
                self.keep(Finding {
                    statement,
                    source: source.to_owned(),
                    confidence,
                });
                true
            }
            Err(_) => false,
        }
    }

    fn keep(&mut self, finding: Finding) {
        let Some(statements_left) = self.statements_left.checked_sub(1) else {
            return;
        };
        self.statements_left = statements_left;
        let len = match finding.statement.value() {
            ClaimValue::Text(text) => text.len(),
            _ => 0,
        };
        let is_known = self
            .findings
            .iter()
            .any(|kept| kept.source == finding.source && kept.statement == finding.statement);
        if let Some(text_left) = self.text_left.checked_sub(len)
            && !is_known
            && self.findings.len() < FINDING_LIMIT
        {
            self.text_left = text_left;
            self.findings.push(finding);
        }
    }
}
