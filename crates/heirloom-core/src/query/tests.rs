use proptest::prelude::*;

use super::*;
use crate::{edtf::Edtf, text::tokens};

fn query(text: &str) -> Query {
    text.parse()
        .unwrap_or_else(|error: QueryError| panic!("{text}: {error}"))
}

fn refused(text: &str) -> QueryError {
    text.parse::<Query>().expect_err(text)
}

#[test]
fn what_people_type_is_understood() {
    // (typed, canonical)
    let table = [
        ("", ""),
        ("  \t\n\u{3000} ", ""),
        ("Beach", "beach"),
        ("Müller  Straße", "muller strasse"),
        (
            "beach type:image date:1974..1980",
            "beach type:image date:1974..1980",
        ),
        // Phrases
        (r#""on the Beach""#, r#""on the beach""#),
        ("“on the beach”", r#""on the beach""#),
        (
            "„am Strand“ »am Meer« «à la mer»",
            r#""am strand" "am meer" "a la mer""#,
        ),
        ("「写真」", r#""写 真""#),
        (r#""beach""#, "beach"),
        (r#""on the beach"#, r#""on the beach""#),
        (r#"beach "type:image"#, r#"beach "type image""#),
        (r#""anna"maria"#, "anna maria"),
        (r#""der ""alte"" Strand""#, r#""der alte strand""#),
        (r#"5"x7" print"#, r#""5 x7" print"#),
        (r#"צה"ל"#, r#""צה ל""#),
        ("IMG_2041.jpg", r#""img 2041 jpg""#),
        ("Anna's", r#""anna s""#),
        ("写真", r#""写 真""#),
        ("お祖母さん", r#""お 祖 母 さ ん""#),
        // Beginnings of words
        ("bea*", "bea*"),
        ("bea**", "bea*"),
        ("(bea*)", "bea*"),
        (r#""on the bea"* x"#, r#""on the bea"* x"#),
        (r#""on the bea*""#, r#""on the bea"*"#),
        ("IMG_20*", r#""img 20"*"#),
        // Without
        ("-beach", "-beach"),
        ("\u{2212}beach", "-beach"),
        ("--beach", "-beach"),
        (r#"-"on the beach""#, r#"-"on the beach""#),
        ("-bea*", "-bea*"),
        ("-type:video", "-type:video"),
        (
            "-tag:beach -date:1974 -is:missing",
            "-tag:beach -date:1974 -is:missing",
        ),
        ("Anna-Maria 1942-1945", r#""anna maria" "1942 1945""#),
        // Kinds
        ("type:image,video", "type:image,video"),
        ("Type:VIDEO,image,video", "type:image,video"),
        ("type:image, video beach", "type:image,video beach"),
        ("type:image, beach", "type:image beach"),
        ("type:image,", "type:image"),
        ("type:\"audio\"", "type:audio"),
        // Names
        (r#"person:"Anna Maria""#, r#"person:"anna maria""#),
        ("person:Anna", "person:anna"),
        ("person: Anna", "person:anna"),
        (
            "PERSON:„Änne K“ place:Rom* camera:X-T20",
            r#"person:"anne k" place:rom* camera:"x t20""#,
        ),
        (r#"place:"new yo"*"#, r#"place:"new yo"*"#),
        ("tag：海", "tag:海"),
        (
            "archive:attic in:\"Summer 1974\"",
            "archive:attic in:\"Summer 1974\"",
        ),
        ("in:-x archive:C:\\Photos", "in:-x archive:C:\\Photos"),
        ("in:'a'", "in:'a'"),
        (r#"in:"Oma ""Liesl""""#, r#"in:"Oma ""Liesl""""#),
        (r#"in:"  Oma " x"#, "in:Oma x"),
        ("in:\"Sommer\u{200E}\"", "in:Sommer"),
        (
            "like:0198C0DE7A3E7CC19B2E3F5A8D2C1E07",
            "like:0198c0de-7a3e-7cc1-9b2e-3f5a8d2c1e07",
        ),
        (
            "shows:„ein Hund  am Strand“ -Shows:Dog",
            "shows:\"ein Hund am Strand\" -shows:Dog",
        ),
        (
            "is:Missing is:replaced is:deleted",
            "is:missing is:replaced is:deleted",
        ),
        // Words with colons
        ("12:30", r#""12 30""#),
        ("16:9 C:\\photos", r#""16 9" "c photos""#),
        (
            "https://example.org/type:x",
            r#""https example org type x""#,
        ),
        ("mailto:anna@example.org", r#""mailto anna example org""#),
        ("Notes: std::fs foo:)", r#"notes "std fs" foo"#),
        ("Ägypten:Reise e-mail:x", r#""agypten reise" "e mail x""#),
        // Directions of writing
        ("עברית שָׁלוֹם", "עברית שלום"),
        (
            "\u{200F}-type:video\u{200F} \u{2067}صورة\u{2069}",
            "-type:video صوره",
        ),
        (
            "person:\"\u{202B}آنا کریمی\u{202C}\"",
            "person:\"انا كريمي\"",
        ),
        ("\u{FEFF}beach", "beach"),
    ];
    for (typed, canonical) in table {
        let query = query(typed);
        assert_eq!(query.to_string(), canonical, "{typed}");
        assert_eq!(query.ignored, [], "{typed}");
    }
}

#[test]
fn dates_are_understood_as_their_first_and_last_second() {
    // (typed, from, until, canonical)
    let table = [
        ("1974", "1974", "1974", "1974"),
        ("1974..1980", "1974", "1980", "1974..1980"),
        ("1974-05", "1974-05", "1974-05", "1974-05"),
        ("1974-05-01", "1974-05-01", "1974-05-01", "1974-05-01"),
        ("1974-01..1974-12-31", "1974", "1974", "1974"),
        ("194X", "1940", "1949", "1940..1949"),
        ("194x", "1940", "1949", "1940..1949"),
        ("1940s", "1940", "1949", "1940..1949"),
        ("1940s..1960s", "1940", "1969", "1940..1969"),
        ("19XX", "1900", "1999", "1900..1999"),
        ("1942~", "1942", "1942", "1942"),
        ("1942?..1944%", "1942", "1944", "1942..1944"),
        ("1942/1945", "1942", "1945", "1942..1945"),
        ("1942-05/1945", "1942-05", "1945", "1942-05..1945-12"),
        ("..1950", "", "1950", "..1950"),
        ("1960..", "1960", "", "1960.."),
        ("1960/..", "1960", "", "1960.."),
        ("../1960", "", "1960", "..1960"),
        ("/1960", "", "1960", "..1960"),
        ("1974…1980", "1974", "1980", "1974..1980"),
        ("1974...1980", "1974", "1980", "1974..1980"),
        ("1974–1980", "1974", "1980", "1974..1980"),
        ("\"1974 .. 1980\"", "1974", "1980", "1974..1980"),
        ("1974-24", "1974-12", "1975-02", "1974-12..1975-02"),
        ("-0044..0014", "-0044", "0014", "-0044..0014"),
        (
            "1974-05-01T10:00:00",
            "1974-05-01T10:00:00Z",
            "1974-05-01T10:00:00Z",
            "1974-05-01T10:00:00Z",
        ),
        (
            "1974-05-01t10:00:00+02:00..1974-05-02",
            "1974-05-01T08:00:00Z",
            "1974-05-02",
            "1974-05-01T08:00:00Z..1974-05-02T23:59:59Z",
        ),
        ("-9999..9999", "-9999", "9999", "-9999..9999"),
    ];
    let end = |text: &str| text.parse::<Edtf>().ok().map(|date| date.interval());
    for (typed, from, until, canonical) in table {
        let query = query(&format!("date:{typed}"));
        let [
            Term {
                matcher: Matcher::Date(range),
                ..
            },
        ] = query.terms[..]
        else {
            panic!("{query:?}");
        };
        assert_eq!(range.from(), end(from).and_then(|it| it.0), "{typed}");
        assert_eq!(range.until(), end(until).and_then(|it| it.1), "{typed}");
        assert_eq!(query.to_string(), format!("date:{canonical}"));
    }
    assert_eq!(query("date:None").terms[0].matcher, Matcher::Undated);
    assert_eq!(query("date:none").to_string(), "date:none");
}

#[test]
fn what_cannot_be_read_is_refused_where_it_stands_with_a_way_out() {
    // (typed, what is wrong of it, message, hint)
    let table = [
        ("é foo:bar", "foo:", "there is no field foo:", "\"foo bar\""),
        (
            "foo:\"bar baz\"",
            "foo:",
            "there is no field foo:",
            "\"foo bar baz\"",
        ),
        (
            "typ:image",
            "typ:",
            "there is no field typ:",
            "did you mean type:?",
        ),
        (
            "-Persn:anna",
            "Persn:",
            "there is no field Persn:",
            "did you mean person:?",
        ),
        (
            "tags:beach",
            "tags:",
            "there is no field tags:",
            "did you mean tag:?",
        ),
        ("type:", "type:", "nothing follows type:", "type:image"),
        (
            "beach person:",
            "person:",
            "nothing follows person:",
            "person:anna",
        ),
        (
            "person: type:image",
            "person:",
            "nothing follows person:",
            "",
        ),
        ("person: -anna", "person:", "nothing follows person:", ""),
        ("in:\"\"", "in:", "nothing follows in:", ""),
        ("in:\" ", "in:", "nothing follows in:", ""),
        (
            "type:,",
            ",",
            "expected image, video, audio, document or other",
            "",
        ),
        (
            "type:photos",
            "photos",
            "expected image, video,",
            "did you mean type:image?",
        ),
        (
            "type:imgae",
            "imgae",
            "expected image, video,",
            "did you mean type:image?",
        ),
        (
            "type:image,zebra x",
            "image,zebra",
            "expected image, video,",
            "",
        ),
        (
            "is:gone",
            "gone",
            "expected missing, replaced or deleted",
            "",
        ),
        (
            "is:missng",
            "missng",
            "expected missing,",
            "did you mean is:missing?",
        ),
        (
            "like:beach",
            "beach",
            "expected the id of an asset",
            "address",
        ),
        (
            "date:yesterday",
            "yesterday",
            "date: cannot be \"yesterday\": expected a date",
            "date:1974..1980",
        ),
        (
            "date:1974-1980",
            "1974-1980",
            "a month of two digits",
            "1974/1980",
        ),
        ("date:24.12.1974", "24.12.1974", "-", "1974-12-24"),
        ("date:1900-02-29", "1900-02-29", "no leap year", ""),
        ("date:..", "..", "a date before or after", "date:1974.."),
        (
            "date:1980..1974",
            "1980..1974",
            "not before 1980",
            "date:1974..1980",
        ),
        (
            "date:1980/1974",
            "1980/1974",
            "not before 1980",
            "1974/1980",
        ),
        ("date:1974..1976..1980", "1974..1976..1980", "expected", ""),
        ("date:Y12345", "Y12345", "years from -9999 to 9999", ""),
        (
            "date:..Y999999999999999999",
            "..Y999999999999999999",
            "years from -9999 to 9999",
            "",
        ),
        ("date:[1974,1975]", "[1974,1975]", "EDTF level 2", ""),
    ];
    for (typed, wrong, message, hint) in table {
        let error = refused(typed);
        assert_eq!(&typed[error.range()], wrong, "{typed}");
        assert_eq!(
            error.character(),
            typed[..error.range().start].chars().count(),
            "{typed}"
        );
        assert!(error.to_string().contains(message), "{typed}: {error}");
        let hinted = error.hint().unwrap_or_default();
        assert!(hinted.contains(hint), "{typed}: {hinted}");
    }
}

#[test]
fn what_cannot_be_looked_for_is_reported() {
    let table: [(&str, &str, &[&str]); 8] = [
        ("beach !!!", "beach", &["!!!"]),
        ("- beach", "beach", &["-"]),
        ("\"\" beach", "beach", &["\"\""]),
        ("-\"?!\" tag:🎂 🎉", "", &["-\"?!\"", "tag:🎂", "🎉"]),
        ("*", "", &["*"]),
        ("*anna", "anna", &["*"]),
        ("an*a*", "\"an a\"*", &["*"]),
        ("\"", "", &["\""]),
    ];
    for (typed, canonical, ignored) in table {
        let query = query(typed);
        assert_eq!(query.to_string(), canonical, "{typed}");
        let texts: Vec<&str> = query.ignored.iter().map(|it| it.text.as_str()).collect();
        assert_eq!(texts, ignored, "{typed}");
        for it in &query.ignored {
            assert_eq!(typed[it.range.clone()], it.text);
        }
    }
}

#[test]
fn a_query_has_limits() {
    assert_eq!(query(&"a ".repeat(MAX_TERMS)).terms.len(), MAX_TERMS);
    let error = refused(&"a ".repeat(MAX_TERMS + 1));
    assert_eq!(error.kind(), &QueryErrorKind::TooManyTerms);
    assert_eq!(error.range().start, 2 * MAX_TERMS);

    assert!("é".repeat(MAX_CHARS).parse::<Query>().is_ok());
    let error = refused(&"é".repeat(MAX_CHARS + 1));
    assert_eq!(
        (error.kind(), error.character()),
        (&QueryErrorKind::TooLong, MAX_CHARS)
    );
    // Short when typed, a sentence each when printed.
    assert_eq!(
        refused(&"\u{FDFA}".repeat(500)).kind(),
        &QueryErrorKind::TooLong
    );
}

#[test]
fn only_what_is_looked_for_everywhere_is_highlighted() {
    let phrases = query("beach \"old house\" bea* -dog tag:sea type:image").phrases();
    let shown: Vec<String> = phrases
        .iter()
        .map(|it| format!("{} {}", it.tokens().join("+"), it.is_prefix()))
        .collect();
    assert_eq!(shown, ["beach false", "old+house false", "bea true"]);
}

#[test]
fn a_range_of_dates_cannot_be_wrong() {
    assert!(DateRange::new(Some(0), Some(0)).is_some());
    assert!(DateRange::new(None, None).is_none());
    assert!(DateRange::new(Some(1), Some(0)).is_none());
    assert!(DateRange::new(Some(i64::MIN), None).is_none());
    assert!(DateRange::new(None, Some(i64::MAX)).is_none());
}

/// Pieces of queries, sensible and not, stuck together.
fn typed() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zäß]{1,4}",
        "\\PC{0,4}",
        any::<char>().prop_map(String::from),
        proptest::sample::select(vec![
            " ",
            " ",
            " ",
            "\"",
            "“",
            "„",
            "»",
            "-",
            "−",
            "*",
            ":",
            "：",
            ",",
            "type:",
            "image",
            "video,",
            "date:",
            "none",
            "1974",
            "..",
            "/",
            "194X",
            "~",
            "-05",
            "1980-12-31",
            "person:",
            "place:",
            "Tag:",
            "archive:",
            "in:",
            "is:",
            "missing",
            "foo:",
            "http://",
            "写真",
            "か\u{3099}",
            "\u{200F}",
            "\u{AD}",
            "12:30",
            "'",
            "\u{3000}",
            "مرحبا",
            "like:0198c0de-7a3e-7cc1-9b2e-3f5a8d2c1e07",
            "\"\"",
            "\u{FDFA}",
            "½",
            "T10:00:00Z",
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Queries in which every term is right.
fn well_typed() -> impl Strategy<Value = String> {
    let year = || 0..=9_999_u32;
    let date = prop_oneof![
        year().prop_map(|y| format!("{y:04}")),
        (year(), 1..=12_u8).prop_map(|(y, m)| format!("{y:04}-{m:02}")),
        (year(), 1..=12_u8, 1..=28_u8).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}")),
        (0..=999_u32).prop_map(|decade| format!("{decade:03}X~")),
        (year(), 0..=23_u8, 0..=59_u8)
            .prop_map(|(y, h, m)| format!("{y:04}-06-01T{h:02}:{m:02}:07")),
    ];
    let value = prop_oneof![
        "[a-zäŁß]{1,6}",
        "\"[a-z 写真é]{0,8}[a-z]\"",
        "„[a-z]{1,3} [0-9]{1,3}“"
    ];
    let term = prop_oneof![
        value.clone(),
        (value.clone(), Just("*")).prop_map(|(value, star)| format!("{value}{star}")),
        (
            proptest::sample::select(vec!["person", "place", "Camera", "TAG", "archive", "in"]),
            value
        )
            .prop_map(|(field, value)| format!("{field}:{value}")),
        proptest::sample::subsequence(vec!["image", "video", "audio", "document", "other"], 1..5)
            .prop_map(|kinds| format!("type:{}", kinds.join(","))),
        date.clone().prop_map(|date| format!("date:{date}")),
        date.clone().prop_map(|date| format!("date:..{date}")),
        date.prop_map(|date| format!("date:{date}..")),
        Just("date:none".to_owned()),
        any::<u128>().prop_map(|id| format!("like:{id:032x}")),
        "[a-zA-Zäß ,']{0,8}[a-z]".prop_map(|words| format!("shows:\"{words}\"")),
        proptest::sample::select(vec!["is:missing", "is:deleted"]).prop_map(str::to_owned),
    ];
    proptest::collection::vec((any::<bool>(), term), 0..8).prop_map(|terms| {
        let terms = terms
            .into_iter()
            .map(|(no, term)| if no { format!("-{term}") } else { term });
        terms.collect::<Vec<String>>().join(" ")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_printed_reads_back_as_the_same(text in prop_oneof![typed(), well_typed()]) {
        match text.parse::<Query>() {
            Ok(first) => {
                let printed = first.to_string();
                let second = printed.parse::<Query>();
                let second = second.map_err(|error| TestCaseError::fail(format!("{printed}: {error}")))?;
                prop_assert_eq!(&second.terms, &first.terms, "{}", printed);
                prop_assert_eq!(&second.ignored, &[]);
                prop_assert_eq!(second.to_string(), printed);
                for it in &first.ignored {
                    prop_assert_eq!(text.get(it.range.clone()), Some(it.text.as_str()));
                }
            }
            Err(error) => {
                prop_assert!(text.get(error.range()).is_some());
                prop_assert_eq!(error.character(), text[..error.range().start].chars().count());
                prop_assert!(!error.to_string().is_empty());
                prop_assert!(error.hint().is_none_or(|hint| !hint.is_empty()));
            }
        }
    }

    #[test]
    fn a_caret_is_somewhere_wherever_it_is(text in typed()) {
        for at in 0..=text.len() {
            let caret = Caret::of(&text, at);
            prop_assert_eq!(caret.is_some(), text.is_char_boundary(at));
            let Some(caret) = caret else { continue };
            let range = caret.range();
            prop_assert!(text.get(range.clone()).is_some(), "{} {}", text, at);
            let mut written = text.clone();
            written.replace_range(range, &caret.write(Slot::State, "missing", Language::English));
            prop_assert!(Caret::of(&written, written.len()).is_some());
        }
    }

    #[test]
    fn what_is_typed_rightly_is_never_refused(text in well_typed()) {
        let query = text.parse::<Query>();
        prop_assert!(query.is_ok_and(|query| query.ignored.is_empty()), "{}", text);
    }

    #[test]
    fn no_word_is_dropped(text in "[a-zäöüßÀ-ž0-9 .,;'_/()«»\"!?*写真\\-]{0,60}") {
        let query = text.parse::<Query>().map_err(|it| TestCaseError::fail(it.to_string()))?;
        let looked_for: Vec<String> = query.terms.iter().flat_map(|term| match &term.matcher {
            Matcher::Words(phrase) => phrase.tokens().to_vec(),
            _ => vec![],
        }).collect();
        let words: Vec<String> = tokens(&text).map(|token| token.text).collect();
        prop_assert_eq!(looked_for, words);
    }

    #[test]
    fn a_range_of_dates_reads_back_to_the_second(
        from in proptest::option::of(-300_000_000_000..200_000_000_000_i64),
        until in proptest::option::of(-300_000_000_000..200_000_000_000_i64),
    ) {
        let Some(range) = DateRange::new(from, until) else { return Ok(()) };
        let printed = Term { is_negated: false, matcher: Matcher::Date(range) }.to_string();
        let read = query(&printed).terms.remove(0).matcher;
        prop_assert_eq!(read, Matcher::Date(range), "{}", printed);
    }
}
