//! What is believed of an original as XMP (ISO 16684-1), for programs that read that beside a file.
//!
//! Dublin Core, XMP, Photoshop, EXIF and IPTC properties, in the forms that the XMP specification gives for them.
//! A date that is not an exact one stands as EDTF in `dcterms:created` as well.

use std::fmt::Write as _;

use heirloom_core::edtf::{Edtf, Precision, Shape};

/// What is written of an original.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Described {
    pub(super) date: Option<Edtf>,
    pub(super) title: Option<String>,
    pub(super) caption: Option<String>,
    /// Degrees north and east, metres above the sea.
    pub(super) position: Option<(f64, f64, Option<f64>)>,
    pub(super) place: Option<String>,
    pub(super) persons: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) authors: Vec<String>,
    pub(super) rating: Option<i64>,
}

const HEAD: &str = "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>
<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">
 <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">
  <rdf:Description rdf:about=\"\"
    xmlns:dc=\"http://purl.org/dc/elements/1.1/\"
    xmlns:dcterms=\"http://purl.org/dc/terms/\"
    xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"
    xmlns:photoshop=\"http://ns.adobe.com/photoshop/1.0/\"
    xmlns:exif=\"http://ns.adobe.com/exif/1.0/\"
    xmlns:Iptc4xmpCore=\"http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/\"
    xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\">
";
const FOOT: &str = "  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end=\"w\"?>
";

/// A sidecar with nothing but a date and a title.
pub(crate) fn describe(date: Option<Edtf>, title: Option<String>) -> String {
    render(&Described {
        date,
        title,
        ..Described::default()
    })
}

/// Writes a sidecar.
pub(super) fn render(described: &Described) -> String {
    let mut xml = HEAD.to_owned();
    if let Some(title) = &described.title {
        language_alternative(&mut xml, "dc:title", title);
    }
    if let Some(caption) = &described.caption {
        language_alternative(&mut xml, "dc:description", caption);
    }
    bag(&mut xml, "dc:subject", "Bag", &described.tags);
    bag(&mut xml, "dc:creator", "Seq", &described.authors);
    bag(
        &mut xml,
        "Iptc4xmpExt:PersonInImage",
        "Bag",
        &described.persons,
    );
    if let Some(date) = &described.date {
        let (exact, is_whole) = iso_of(date);
        if let Some(exact) = exact {
            simple(&mut xml, "photoshop:DateCreated", &exact);
            simple(&mut xml, "xmp:CreateDate", &exact);
            if date.precision() == Precision::Second {
                simple(&mut xml, "exif:DateTimeOriginal", &exact);
            }
        }
        if !is_whole {
            simple(&mut xml, "dcterms:created", &date.to_string());
        }
    }
    if let Some(rating) = described.rating {
        simple(&mut xml, "xmp:Rating", &rating.to_string());
    }
    if let Some(place) = &described.place {
        simple(&mut xml, "Iptc4xmpCore:Location", place);
    }
    if let Some((latitude, longitude, altitude_m)) = described.position {
        simple(&mut xml, "exif:GPSLatitude", &degrees(latitude, ('N', 'S')));
        simple(
            &mut xml,
            "exif:GPSLongitude",
            &degrees(longitude, ('E', 'W')),
        );
        if let Some(altitude_m) = altitude_m {
            let below = if altitude_m < 0.0 { "1" } else { "0" };
            simple(&mut xml, "exif:GPSAltitudeRef", below);
            let centimetres = (altitude_m.abs() * 100.0).round();
            simple(
                &mut xml,
                "exif:GPSAltitude",
                &format!("{centimetres:.0}/100"),
            );
        }
    }
    xml + FOOT
}

/// The date in the form of XMP, as exact as that and the date are; and whether that says all of it.
fn iso_of(date: &Edtf) -> (Option<String>, bool) {
    let is_sure = !date.is_approximate() && !date.is_uncertain();
    match date.shape() {
        Shape::Moment(_) => (Some(date.to_string()), is_sure),
        Shape::Date(day) if (0..=9999).contains(&day.year()) => {
            let year = format!("{:04}", day.year());
            let exact = match (date.precision(), day.month(), day.day()) {
                (Precision::Day, Some(month), Some(day)) => {
                    Some(format!("{year}-{month:02}-{day:02}"))
                }
                (Precision::Month, Some(month), _) => Some(format!("{year}-{month:02}")),
                (Precision::Year, ..) => Some(year),
                _ => None,
            };
            let is_whole = is_sure && exact.as_deref() == Some(date.to_string().as_str());
            (exact, is_whole)
        }
        _ => (None, false),
    }
}

/// `DDD,MM.mmmmmmK`, as EXIF for XMP has it.
fn degrees(angle: f64, (positive, negative): (char, char)) -> String {
    let half = if angle < 0.0 { negative } else { positive };
    let millionths = (angle.abs() * 60.0 * 1_000_000.0).round();
    let whole = (millionths / 60_000_000.0).floor();
    let minutes = (millionths - whole * 60_000_000.0) / 1_000_000.0;
    format!("{whole:.0},{minutes:.6}{half}")
}

fn simple(xml: &mut String, name: &str, value: &str) {
    let _ = writeln!(xml, "   <{name}>{}</{name}>", escaped(value));
}

fn language_alternative(xml: &mut String, name: &str, value: &str) {
    let value = escaped(value);
    let _ = writeln!(
        xml,
        "   <{name}><rdf:Alt><rdf:li xml:lang=\"x-default\">{value}</rdf:li></rdf:Alt></{name}>"
    );
}

fn bag(xml: &mut String, name: &str, kind: &str, values: &[String]) {
    if values.is_empty() {
        return;
    }
    let _ = writeln!(xml, "   <{name}><rdf:{kind}>");
    for value in values {
        let _ = writeln!(xml, "    <rdf:li>{}</rdf:li>", escaped(value));
    }
    let _ = writeln!(xml, "   </rdf:{kind}></{name}>");
}

/// A text within an element: what XML 1.0 has no way to write is left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\r' => safe.push_str("&#13;"),
            '\n' | '\t' => safe.push(letter),
            '\u{fffe}' | '\u{ffff}' => {}
            letter if u32::from(letter) < 0x20 => {}
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_as_exact_as_it_is() {
        let cases = [
            (
                "1974-07-01T10:00:00+02:00",
                Some("1974-07-01T10:00:00+02:00"),
                true,
            ),
            ("1974-07-01", Some("1974-07-01"), true),
            ("1974-07", Some("1974-07"), true),
            ("1974", Some("1974"), true),
            ("1974~", Some("1974"), false),
            ("1974-07?", Some("1974-07"), false),
            ("1974-21", None, false),
            ("195X", None, false),
            ("1953/1962", None, false),
            ("1974-07-XX", Some("1974-07"), false),
            ("-0044", None, false),
        ];
        for (text, exact, is_whole) in cases {
            let date: Edtf = text.parse().unwrap();
            assert_eq!(
                iso_of(&date),
                (exact.map(str::to_owned), is_whole),
                "{text}"
            );
        }
    }

    #[test]
    fn degrees_are_whole_with_minutes() {
        assert_eq!(degrees(52.5, ('N', 'S')), "52,30.000000N");
        assert_eq!(degrees(-13.999_999_999_9, ('E', 'W')), "14,0.000000W");
        assert_eq!(degrees(0.0, ('N', 'S')), "0,0.000000N");
    }
}
