use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

use super::*;

fn words(text: &str) -> Vec<String> {
    tokens(text).map(|token| token.text).collect()
}

fn phrase(text: &str) -> Phrase {
    match text.strip_suffix('*') {
        Some(text) => Phrase::new(text, true).unwrap(),
        None => Phrase::new(text, false).unwrap(),
    }
}

/// The snippet with what is highlighted in brackets.
fn marked(text: &str, phrases: &[&str], max_chars: usize) -> String {
    let phrases: Vec<Phrase> = phrases.iter().map(|it| phrase(it)).collect();
    let Snippet {
        mut text,
        highlights,
    } = snippet(text, &phrases, max_chars);
    for range in highlights.into_iter().rev() {
        text.insert(range.end, ']');
        text.insert(range.start, '[');
    }
    text
}

#[test]
fn spellings_of_one_word_fold_to_the_same_text() {
    let table = [
        ("Müller", "muller"),
        ("Mu\u{308}ller", "muller"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("STRAẞE", "strasse"),
        ("ﬁlm ﬀ", "film ff"),
        ("Æther Œuvre", "aether oeuvre"),
        ("Łódź", "lodz"),
        ("Ðorđe Þór", "dorde thor"),
        ("København Tromsø", "kobenhavn tromso"),
        ("İstanbul ISPARTA ısı", "istanbul isparta isi"),
        ("Điện Biên Phủ", "dien bien phu"),
        ("ΌΛΓΑΣ Όλγας", "ολγασ ολγασ"),
        ("Фёдор Йошкар", "федор иошкар"),
        ("שָׁלוֹם", "שלום"),
        ("مُحَمَّد محمـــد", "محمد محمد"),
        ("علی على", "علي علي"),
        ("١٩٧٤ ۱۹۷۴ १९७४ １９７４", "1974 1974 1974 1974"),
        ("ＩＭＧ　℡ Ⅷ ①", "img tel viii 1"),
        ("カメラ ｶﾒﾗ", "カメラ カメラ"),
        ("が か\u{3099} ﾊﾟ", "が が パ"),
        ("한국 \u{1112}\u{1161}\u{11AB}국", "한국 한국"),
        ("हिन्दी", "हिनदी"),
        ("Fami\u{AD}lie می\u{200C}خواهم", "familie ميخواهم"),
        ("e\u{301}\u{301}\u{20DD}", "e"),
        ("Z̸̧a̴l̷g̵o", "zalgo"),
    ];
    for (text, folded) in table {
        assert_eq!(fold(text), folded, "{text}");
    }
}

#[test]
fn every_character_folds_to_what_stays_folded() {
    // All but the ideographs, syllables and planes in which nothing folds.
    let blocks = [
        0..0x3400,
        0x9FF0..0xAC10,
        0xD7A0..0x1_8000,
        0x1_B000..0x2_0010,
        0x2_F800..0x2_FA20,
    ];
    for c in blocks.into_iter().flatten().filter_map(char::from_u32) {
        let text = format!("a{c}b");
        let folded = fold(&text);
        assert_eq!(fold(&folded), folded, "U+{:04X}", u32::from(c));
        for token in words(&text) {
            assert!(
                token.chars().all(char::is_alphanumeric),
                "U+{:04X}",
                u32::from(c)
            );
            assert_eq!(words(&token), [token.as_str()], "U+{:04X}", u32::from(c));
        }
    }
}

#[test]
fn a_text_is_cut_into_the_words_that_people_look_for() {
    let table: [(&str, &[&str]); 22] = [
        ("IMG_2041.JPG", &["img", "2041", "jpg"]),
        ("2b or not 2b", &["2b", "or", "not", "2b"]),
        ("Anna's Geburtstag", &["anna", "s", "geburtstag"]),
        ("l’été", &["l", "ete"]),
        ("don't", &["don", "t"]),
        ("Anna-Maria", &["anna", "maria"]),
        ("__init__", &["init"]),
        ("1942-05-01T12:30", &["1942", "05", "01t12", "30"]),
        ("¡Olé! ", &["ole"]),
        ("写真2枚", &["写", "真", "2", "枚"]),
        ("おばあさん", &["お", "ば", "あ", "さ", "ん"]),
        ("ｶﾞ", &["ガ"]),
        ("夏のカメラ", &["夏", "の", "カ", "メ", "ラ"]),
        ("할머니의 사진", &["할머니의", "사진"]),
        ("กินข้าว", &["กิ", "น", "ข", "า", "ว"]),
        ("صورة العائلة", &["صوره", "العايله"]),
        ("צה״ל", &["צה", "ל"]),
        ("naïve\u{200D}té", &["naivete"]),
        ("5½ m²", &["51", "2", "m2"]),
        ("🎂🎉 ❤\u{FE0F} 👩\u{200D}👧", &[]),
        ("!!! -- …", &[]),
        ("", &[]),
    ];
    for (text, expected) in table {
        assert_eq!(words(text), expected, "{text}");
    }
}

#[test]
fn a_word_knows_where_it_stands_accents_included() {
    let text = "Über Cafe\u{301}, ½!";
    let found: Vec<&str> = tokens(text).map(|token| &text[token.range]).collect();
    assert_eq!(found, ["Über", "Cafe\u{301}", "½", "½"]);
}

#[test]
fn a_word_without_end_is_known_by_its_beginning() {
    let long = "é".repeat(1_000);
    let found: Vec<Token> = tokens(&long).collect();
    assert_eq!(
        found,
        [Token {
            text: "e".repeat(MAX_TOKEN_CHARS),
            range: 0..long.len()
        }]
    );
}

#[test]
fn a_phrase_is_in_a_text_when_its_words_stand_next_to_each_other() {
    let text = "Großmutter Änne am Strand, 1958";
    for (found, is_in) in [
        ("grossmutter", true),
        ("GROSSMUTTER anne", true),
        ("strand 1958", true),
        ("am stra*", true),
        ("am stra", false),
        ("grossmutter am", false),
        ("1958 grossmutter", false),
        ("1*", true),
    ] {
        assert_eq!(phrase(found).is_in(text), is_in, "{found}");
    }
    assert_eq!(Phrase::new("!!!", true), None);
}

#[test]
fn a_snippet_shows_where_most_was_found() {
    let letter = "Dear Hans, the summer was long. We went to the sea twice.\n\nYesterday Anna \
                  learned to swim in the sea near Warnemünde; you would have laughed. Write soon.";
    let table: [(&[&str], usize, &str); 8] = [
        (&[], 30, "Dear Hans, the summer was…"),
        (&["sea"], 40, "…to the [sea] twice. Yesterday Anna…"),
        (
            &["anna", "sea"],
            50,
            "…to the [sea] twice. Yesterday [Anna] learned to swim…",
        ),
        (&["warnemunde"], 30, "…near [Warnemünde]; you would…"),
        (&["warnem*", "zebra"], 30, "…near [Warnemünde]; you would…"),
        (&["soon"], 24, "…laughed. Write [soon]."),
        (&["learned to swim"], 30, "…[learned to swim] in the sea…"),
        (&["dear", "soon"], 20, "[Dear] Hans, the…"),
    ];
    for (phrases, max_chars, expected) in table {
        assert_eq!(marked(letter, phrases, max_chars), expected, "{phrases:?}");
    }
}

#[test]
fn a_short_text_is_shown_whole_and_on_one_line() {
    assert_eq!(
        marked(" Oma\r\n\tund\u{1b}Opa ", &["opa"], 80),
        "Oma und [Opa]"
    );
    assert_eq!(marked("写真を見る", &["写真"], 80), "[写真]を見る");
    assert_eq!(
        marked("Anna Maria", &["anna", "anna maria", "maria"], 80),
        "[Anna Maria]"
    );
    assert_eq!(marked("", &["anna"], 80), "");
    assert_eq!(marked("Anna", &["anna"], 0), "");
    assert_eq!(marked("Anna Maria", &["anna"], 2), "…");
}

#[test]
fn a_snippet_of_a_text_without_spaces_ends_between_characters() {
    let text = "これは祖母が海辺で撮った古い写真のアルバムです".repeat(3);
    assert_eq!(marked(&text, &["写真"], 12), "…古い[写真]のアルバムで…");
}

#[test]
fn a_find_too_long_for_the_window_is_shown_without_a_mark() {
    let text = format!("vor {} nach", "x".repeat(40));
    assert_eq!(marked(&text, &["x*"], 20), format!("…{}…", "x".repeat(18)));
}

/// Text of letters, marks, spaces and signs that are awkward next to each other.
fn awkward() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("a"),
        Just("B"),
        Just("é"),
        Just("e\u{301}"),
        Just("\u{301}"),
        Just("ß"),
        Just("ﬁ"),
        Just("½"),
        Just("か"),
        Just("\u{3099}"),
        Just("ﾊﾟ"),
        Just("写"),
        Just("กิ"),
        Just("\u{E34}"),
        Just("\u{1112}"),
        Just("\u{1161}"),
        Just("\u{11AB}"),
        Just("한"),
        Just("न्"),
        Just("ि"),
        Just("\u{AD}"),
        Just("\u{200D}"),
        Just("👩\u{200D}👧"),
        Just("🇩🇪"),
        Just("\u{200F}"),
        Just("م"),
        Just(" "),
        Just(" "),
        Just("\n"),
        Just("-"),
        Just("_"),
        Just("'"),
        Just("12"),
        Just("\r\n"),
        Just("\u{FDFA}"),
        Just("\u{FE0F}"),
        Just("\u{1160}"),
        Just("\u{600}"),
    ];
    proptest::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![awkward(), "\\PC{0,80}", "[a-c ]{0,120}", any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn folding_what_is_folded_changes_nothing(text in any_text()) {
        let folded = fold(&text);
        prop_assert_eq!(fold(&folded), folded);
    }

    #[test]
    fn a_text_and_its_decomposition_fold_alike(text in "[a-zA-ZÀ-žΑ-ώА-я가-힣ぁ-ん ]{0,40}") {
        prop_assert_eq!(fold(&text), fold(&text.nfd().collect::<String>()));
        prop_assert_eq!(words(&text), words(&text.nfd().collect::<String>()));
    }

    #[test]
    fn words_are_letters_and_digits_that_stand_in_order_in_the_text(text in any_text()) {
        let mut last = 0;
        for token in tokens(&text) {
            prop_assert!(token.range.start < token.range.end);
            prop_assert!(last <= token.range.start);
            last = token.range.start;
            prop_assert!(text.get(token.range.clone()).is_some(), "{:?}", token);
            prop_assert!(token.text.chars().all(char::is_alphanumeric), "{:?}", token);
            prop_assert!((1..=MAX_TOKEN_CHARS).contains(&token.text.chars().count()));
            prop_assert_eq!(words(&token.text), [token.text]);
        }
    }

    #[test]
    fn the_words_of_a_folded_text_are_those_of_the_text(text in any_text()) {
        prop_assert_eq!(words(&fold(&text)), words(&text));
    }

    #[test]
    fn what_a_snippet_highlights_is_what_was_looked_for(
        text in any_text(), terms in proptest::collection::vec((any_text(), any::<bool>()), 0..4),
        max_chars in 0..60_usize,
    ) {
        // Words of the text itself, so that something is found.
        let own = words(&text).into_iter().step_by(3).map(|word| (word, false));
        let phrases: Vec<Phrase> = terms.into_iter().chain(own)
            .filter_map(|(term, is_prefix)| Phrase::new(&term, is_prefix))
            .collect();
        let Snippet { text: piece, highlights } = snippet(&text, &phrases, max_chars);
        prop_assert!(piece.chars().count() <= max_chars, "{:?}", piece);
        prop_assert!(!piece.contains(char::is_control));
        let mut last = 0;
        for range in highlights {
            prop_assert!(last <= range.start && range.start < range.end);
            last = range.end;
            let shown = piece.get(range).expect("between characters");
            prop_assert!(phrases.iter().any(|it| it.is_in(shown)), "{:?} in {:?}", shown, phrases);
        }
    }

    #[test]
    fn a_snippet_never_ends_within_a_character(text in awkward(), max_chars in 3..60_usize) {
        let phrases: Vec<Phrase> = words(&text).first()
            .and_then(|word| Phrase::new(word, true)).into_iter().collect();
        let Snippet { text: piece, highlights } = snippet(&text, &phrases, max_chars);
        let whole = snippet(&text, &[], usize::MAX).text;
        let ends: Vec<usize> = whole.grapheme_indices(true).map(|(at, _)| at)
            .chain([whole.len()]).collect();
        let inner = piece.strip_prefix('…').unwrap_or(&piece);
        let inner = inner.strip_suffix('…').unwrap_or(inner);
        prop_assert!(
            whole.match_indices(inner)
                .any(|(at, _)| ends.contains(&at) && ends.contains(&(at + inner.len()))),
            "{:?} of {:?}", piece, whole
        );
        // A mark that stood alone in the text may come to stand on the dots before it.
        let start = piece.len() - piece.trim_start_matches('…').len();
        for range in highlights {
            let before = &piece[start..range.start];
            let alone = before.graphemes(true).count() + piece[range.clone()].graphemes(true).count()
                + piece[range.end..].graphemes(true).count();
            prop_assert_eq!(alone, piece[start..].graphemes(true).count());
        }
    }
}
