//! How programs call the edited version of a picture that they keep beside the original.

/// What Google adds to the name of an edited picture, in the languages of the exporters: those that people have seen in
/// their own archives.
pub(crate) const EDITED: [&str; 15] = [
    "-edited",
    "-effects",
    "-smile",
    "-mix",
    "-bearbeitet",
    "-modifié",
    "-editado",
    "-editada",
    "-ha editado",
    "-editat",
    "-modificato",
    "-bewerkt",
    "-edytowane",
    "-編集済み",
    "-编辑",
];

/// The stem of the original of an edited picture, of a stem that is [`alike`](heirloom_core::path::alike); `None` where
/// the name says of nothing that it was edited.
pub(crate) fn original_stem(stem: &str) -> Option<String> {
    let (plain, number) = numbered(stem);
    let number = number.map_or_else(String::new, |number| format!("({number})"));
    let of_google = EDITED
        .iter()
        .find_map(|edited| plain.strip_suffix(&heirloom_core::path::alike(edited)));
    // What takes pictures out of Apple's Photos adds this unless told otherwise.
    let of_apple = || plain.strip_suffix("_edited");
    if let Some(original) = of_google
        .or_else(of_apple)
        .filter(|original| !original.is_empty())
    {
        return Some(format!("{original}{number}"));
    }
    // Apple: IMG_E1234 of IMG_1234.
    let at = plain.rfind("_e")?;
    let (before, digits) = (plain.get(..at)?, plain.get(at + 2..)?);
    let is_number = digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("{before}_{digits}{number}"))
}

/// A name without the number in brackets at its end, and the number.
pub(crate) fn numbered(base: &str) -> (&str, Option<&str>) {
    let parts = base
        .strip_suffix(')')
        .and_then(|base| base.rsplit_once('('));
    match parts {
        Some((body, number))
            if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) =>
        {
            (body, Some(number))
        }
        _ => (base, None),
    }
}

#[cfg(test)]
mod tests {
    use heirloom_core::path::alike;

    use super::*;

    #[test]
    fn an_edited_version_names_its_original() {
        let cases = [
            ("IMG_1-edited", Some("img_1")),
            ("IMG_1-EDITED(2)", Some("img_1(2)")),
            ("Oma-modifie\u{301}", Some("oma")),
            ("a-bearbeitet", Some("a")),
            ("IMG_1234_edited", Some("img_1234")),
            ("IMG_E1234", Some("img_1234")),
            ("IMG_E1234(1)", Some("img_1234(1)")),
            ("IMG_1234", None),
            ("IMG_E12", None),
            ("-edited", None),
            ("The_Elephant", None),
        ];
        for (name, original) in cases {
            assert_eq!(original_stem(&alike(name)).as_deref(), original, "{name}");
        }
    }
}
