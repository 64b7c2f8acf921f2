//! Written text with a little structure: RTF, HTML and SVG.

use heirloom_core::claim::ClaimKind;

use crate::{
    bytes::{find, rest},
    exif,
    moment::{Moment, Reading},
    notes::Notes,
    source::Source,
    text, xml, xmp,
};

/// How much of the beginning is read.
const HEAD: usize = 256 * 1024;

/// The longest SVG picture that is read.
const PICTURE_LIMIT: usize = 4 * 1024 * 1024;

/// Reads the information group of an RTF file.
pub(crate) fn read_rtf(source: &mut Source<'_>, out: &mut Notes) {
    let head = source.copy(0, HEAD);
    let Some(info) = find(&head, b"{\\info").map(|at| rest(&head, at)) else {
        return;
    };
    let group = |name: &[u8]| {
        let start = [b"{\\".as_slice(), name].concat();
        let body = rest(info, find(info, &start)?.saturating_add(start.len()));
        let end = body.iter().position(|byte| matches!(byte, b'{' | b'}'))?;
        body.get(..end)
    };
    let words = |name: &[u8]| group(name).map(rich_text).unwrap_or_default();
    out.text(ClaimKind::Title, &words(b"title "), "rtf:title", 0.75);
    exif::author(&words(b"author "), "rtf:author", out);
    out.text(ClaimKind::Caption, &words(b"subject "), "rtf:subject", 0.6);
    if let Some(created) = group(b"creatim") {
        let created = text::decode_all(created);
        let number = |name: &str| {
            let digits = created
                .split('\\')
                .find_map(|word| word.strip_prefix(name))?;
            digits.trim().parse::<u16>().ok()
        };
        let small = |name| number(name).and_then(|number| u8::try_from(number).ok());
        if let (Some(year), Some(month), Some(day)) = (number("yr"), small("mo"), small("dy"))
            && let Some(moment) = Moment::day(year, month, day)
        {
            let timed = moment.at(small("hr").unwrap_or(0), small("min").unwrap_or(0), 0);
            out.date(Reading::Moment(timed.unwrap_or(moment)), "rtf:creatim", 0.6);
        }
    }
}

/// Text with characters written as `\'fc` and `\u252?`.
fn rich_text(bytes: &[u8]) -> String {
    let mut words = Vec::new();
    let raw = text::decode_all(bytes);
    let mut rest = raw.as_str();
    while let Some((before, after)) = rest.split_once('\\') {
        words.extend_from_slice(before.as_bytes());
        let hexadecimal = after
            .strip_prefix('\'')
            .and_then(|after| after.split_at_checked(2))
            .and_then(|(digits, after)| Some((u8::from_str_radix(digits, 16).ok()?, after)));
        if let Some((byte, after)) = hexadecimal {
            words.extend_from_slice(text::decode_all(&[byte]).as_bytes());
            rest = after;
            continue;
        }
        let len = after
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || *b == b'-')
            .count();
        let (word, after) = after.split_at_checked(len).unwrap_or((after, ""));
        let unit = word
            .strip_prefix('u')
            .and_then(|digits| digits.parse::<i32>().ok());
        if let Some(unit) = unit {
            let code = u32::try_from(unit.rem_euclid(65_536)).unwrap_or(0);
            if let Some(character) = char::from_u32(code) {
                words.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            // What stands in for readers that do not know the character.
            rest = after.strip_prefix('?').unwrap_or(after);
        } else {
            rest = after.strip_prefix(' ').unwrap_or(after);
        }
    }
    words.extend_from_slice(rest.as_bytes());
    text::decode_all(&words)
}

/// Reads the title of an HTML page.
pub(crate) fn read_html(source: &mut Source<'_>, out: &mut Notes) {
    let head = text::decode_all(&source.copy(0, HEAD));
    let lower = head.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let start = at
            .checked_add(lower.get(at..)?.find('>')?)?
            .checked_add(1)?;
        let end = start.checked_add(lower.get(start..)?.find("</title")?)?;
        head.get(start..end)
    });
    if let Some(title) = title {
        let title = xml::parse(&format!("<t>{title}</t>"))
            .root
            .find("t")
            .map(|t| t.text.clone());
        out.text(
            ClaimKind::Title,
            &title.unwrap_or_default(),
            "html:title",
            0.7,
        );
    }
}

/// Reads size, title and packet of an SVG picture; its drawing and scripts are never looked at.
pub(crate) fn read_svg(source: &mut Source<'_>, out: &mut Notes) {
    let bytes = source.copy(0, PICTURE_LIMIT);
    let document = xml::parse(&xml::decode(&bytes));
    if let Some(problem) = document.problem {
        out.problem(format!("The SVG is damaged. {problem}"));
    }
    let Some(svg) = document
        .root
        .children
        .iter()
        .find(|child| child.local_name() == "svg")
    else {
        out.problem("The SVG has no picture.");
        return;
    };
    let pixels = |name: &str| {
        let words = svg.attribute(name)?.trim();
        let number: f64 = words
            .strip_suffix("px")
            .unwrap_or(words)
            .trim()
            .parse()
            .ok()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked"
        )]
        (1.0..1e6).contains(&number).then(|| number.round() as u32)
    };
    out.facts.width = pixels("width");
    out.facts.height = pixels("height");
    if let Some(title) = svg
        .children
        .iter()
        .find(|child| child.local_name() == "title")
    {
        out.text(ClaimKind::Title, &title.text, "svg:title", 0.7);
    }
    xmp::read_tree(svg, out);
}

#[cfg(test)]
mod tests {
    use super::rich_text;

    #[test]
    fn rich_text_has_its_characters_back() {
        assert_eq!(
            rich_text(b"Gr\\'fc\\'dfe \\u8364? 5\\par end"),
            "Gr\u{fc}\u{df}e € 5end"
        );
    }
}
