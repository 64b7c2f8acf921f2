use proptest::prelude::*;

use super::{civil::*, *};

fn edtf(text: &str) -> Edtf {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// The second of a UTC moment, by the module's own reading of moments.
fn at(text: &str) -> i64 {
    edtf(text).sort_key()
}

#[test]
fn every_example_of_levels_0_and_1_is_read_and_printed_as_it_was_written() {
    let examples = [
        // Level 0
        "1985-04-12",
        "1985-04",
        "1985",
        "1985-04-12T23:20:30",
        "1985-04-12T23:20:30Z",
        "1985-04-12T23:20:30+04:30",
        "1964/2008",
        "2004-06/2006-08",
        "2004-02-01/2005-02-08",
        "2004-02-01/2005-02",
        "2004-02-01/2005",
        "2005/2006-02",
        // Level 1
        "Y170000002",
        "Y-170000002",
        "2001-21",
        "2001-22",
        "2001-23",
        "2001-24",
        "1984?",
        "2004-06~",
        "2004-06-11%",
        "201X",
        "20XX",
        "2004-XX",
        "1985-04-XX",
        "1985-XX-XX",
        "1985-04-12/..",
        "1985-04/..",
        "1985/..",
        "../1985-04-12",
        "../1985-04",
        "../1985",
        "1985-04-12/",
        "1985-04/",
        "1985/",
        "/1985-04-12",
        "/1985-04",
        "/1985",
        "1984~/2004-06",
        "1984/2004-06~",
        "1984~/2004~",
        "1984?/2004%",
        "1984-06-02?/2004-08-08~",
        "-1985",
        // Combinations of these
        "0000",
        "-0044-03-15",
        "194X~",
        "1942-05-XX?",
        "Y17000%",
        "2001-21/2003",
        "Y17000/Y17001",
        "1984-06-02?/..",
        "/1985~",
        "2000-02-29",
        "2016-12-31T23:59:60Z",
    ];
    for text in examples {
        assert_eq!(edtf(text).to_string(), text);
    }
}

#[test]
fn what_can_be_written_in_several_ways_is_printed_in_one() {
    let table = [
        ("1985-04-12T23:20:30-04", "1985-04-12T23:20:30-04:00"),
        ("1985-04-12T23:20:30+00:00", "1985-04-12T23:20:30Z"),
        ("1985-04-12T23:20:30+00", "1985-04-12T23:20:30Z"),
    ];
    for (text, canonical) in table {
        assert_eq!(edtf(text).to_string(), canonical);
        assert_eq!(edtf(text), edtf(canonical));
    }
}

#[test]
fn every_example_of_level_2_is_refused_by_name() {
    let examples = [
        "Y-17E7",
        "1950S2",
        "Y171010000S3",
        "Y3388E2S3",
        "2001-34",
        "[1667,1668,1670..1672]",
        "[..1760-12-03]",
        "[1760-12..]",
        "[1667,1760-12]",
        "{1667,1668,1670..1672}",
        "{1960,1961-12}",
        "{..1984}",
        "2004-06-11%/2004-?06",
        "2004?-06-11",
        "?2004-06-~10",
        "%2011-06-13",
        "2011-23~-01",
        "156X-12-25",
        "15XX-12-25",
        "XXXX-12-XX",
        "1XXX-XX",
        "1XXX-12",
        "1984-1X",
        "2004-06-~01/2004-06-~20",
        "2004-06-XX/2004-07-03",
        "1XXX",
        "XXXX",
        "1985-XX-12",
        "1985-04-1X",
        "1X85",
        "-194X",
        "194X/1950",
        "1985-04-12~T10:00:00",
    ];
    for text in examples {
        let error = text.parse::<Edtf>().expect_err(text).to_string();
        assert!(error.contains("EDTF level 2"), "{text}: {error}");
    }
}

#[test]
fn a_text_that_is_no_date_is_refused_where_it_goes_wrong_with_a_way_out() {
    // (text, byte, what was expected, hint)
    let table = [
        ("", 0, "a date", "1974"),
        ("1942-13", 5, "a month from 01 to 12 or a season", ""),
        ("1942-00", 5, "a month from 01 to 12", ""),
        ("1942-20", 5, "a month from 01 to 12", ""),
        ("1942-13-01", 5, "a month from 01 to 12", ""),
        ("1942-21-01", 8, "seasons have no days", ""),
        ("1942-5", 5, "a month of two digits", "1942-05"),
        ("1942-05-1", 8, "a day of two digits", ""),
        ("1942-121", 5, "a month of two digits", "within their month"),
        ("1942-04-31", 8, "a day from 01 to 30", ""),
        (
            "1900-02-29",
            8,
            "01 to 28, because 1900 is no leap year",
            "",
        ),
        ("1942-05-00", 8, "a day from 01 to 31", ""),
        ("1942-05-01-02", 11, "the end", ""),
        ("1942-05-", 8, "a day of two digits", ""),
        ("42", 0, "a year of four digits", "1942"),
        ("12345", 0, "a year of four digits", "Y12345"),
        ("19420501", 0, "a year of four digits", "1942-05-01"),
        ("-", 1, "a year of four digits", ""),
        ("-0000", 1, "a year other than 0", "0000"),
        ("Y1985", 1, "more than four digits", "1985"),
        ("Y-0044", 2, "more than four digits", "-0044"),
        ("Y012345", 1, "no leading zero", ""),
        ("Y", 1, "5 to 18 digits", ""),
        ("Y1234567890123456789", 1, "5 to 18 digits", ""),
        ("Y17000-05", 6, "only digits", ""),
        ("1974-80", 5, "a month from 01 to 12", "1974/1980"),
        ("1921-25", 5, "a season from 21 to 24", "1921/1925"),
        ("1942-1945", 5, "a month of two digits", "1942/1945"),
        ("1942..1945", 4, "/", "1942/1945"),
        ("24.12.1974", 2, "-", "1974-12-24"),
        ("1950s", 4, "only digits", "195X"),
        ("194x", 3, "only digits", "capital X"),
        ("194u", 3, "only digits", "X"),
        ("about 1942", 0, "only digits", "1942~"),
        ("1942–1945", 4, "only digits", "-"),
        ("1942?~", 5, "one mark", "%"),
        (
            "1945/1942",
            5,
            "an end that is not before 1945",
            "1942/1945",
        ),
        (
            "1942-06/1942-05",
            8,
            "an end that is not before 1942-06",
            "1942-05/1942-06",
        ),
        ("1942/1943/1944", 9, "one /", ""),
        ("/", 0, "a date at one end", ""),
        ("../..", 0, "a date at one end", ""),
        ("../", 0, "a date at one end", ""),
        (
            "1942/1945-05-08T12:00:00",
            15,
            "a date without a time",
            "1945-05-08",
        ),
        ("1985-04T10:00:00", 0, "a whole day", "1985-04"),
        ("1985-04-12T", 11, "hh:mm:ss", ""),
        ("1985-04-12T10:20", 11, "hh:mm:ss", "10:20:00"),
        ("1985-04-12T10:20Z", 11, "hh:mm:ss", "10:20:00"),
        ("1985-04-12T10:20:30.5", 19, "the end", "fraction"),
        ("1985-04-12T10:20:30~", 19, "no mark", "1974-05-01~"),
        ("1985-04-12 10:20:30", 10, "only digits", "T between"),
        (
            "1985-04-12T24:00:00",
            11,
            "an hour from 00 to 23",
            "next day",
        ),
        ("1985-04-12T10:60:00", 11, "a minute from 00 to 59", ""),
        ("1985-04-12T10:20:61", 11, "a second from 00 to 59", ""),
        ("1985-04-12T10:20:60", 11, "a second from 00 to 59", ""),
        (
            "1985-04-12T23:59:60+02:00",
            11,
            "a second from 00 to 59",
            "",
        ),
        ("1985-04-12T10:20:30+24:00", 19, "an offset from -23:59", ""),
        ("1985-04-12T10:20:30+0200", 19, "an offset as +hh:mm", ""),
        ("1985-04-12T10:20:30+02:60", 19, "an offset as +hh:mm", ""),
        ("1985-04-12T10:20:30-00:00", 19, "other than -00:00", "Z"),
        ("1985-04-12T10:20:30ZZ", 19, "the end, Z", ""),
        ("1985-04-12T10:20:30T", 19, "the end, Z", ""),
        ("пятница", 0, "only digits", ""),
    ];
    for (text, position, expected, hint) in table {
        let error = text.parse::<Edtf>().expect_err(text);
        assert_eq!(error.position(), position, "{error}");
        assert!(error.expected().contains(expected), "{error}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{error}");
    }
}

#[test]
fn a_date_covers_its_first_to_its_last_second() {
    let table = [
        ("1985-04-12", "1985-04-12T00:00:00Z", "1985-04-12T23:59:59Z"),
        ("1985-02", "1985-02-01T00:00:00Z", "1985-02-28T23:59:59Z"),
        ("1984-02", "1984-02-01T00:00:00Z", "1984-02-29T23:59:59Z"),
        ("1985", "1985-01-01T00:00:00Z", "1985-12-31T23:59:59Z"),
        ("1942~", "1942-01-01T00:00:00Z", "1942-12-31T23:59:59Z"),
        ("194X", "1940-01-01T00:00:00Z", "1949-12-31T23:59:59Z"),
        ("19XX", "1900-01-01T00:00:00Z", "1999-12-31T23:59:59Z"),
        ("1985-XX", "1985-01-01T00:00:00Z", "1985-12-31T23:59:59Z"),
        ("1985-XX-XX", "1985-01-01T00:00:00Z", "1985-12-31T23:59:59Z"),
        ("1985-04-XX", "1985-04-01T00:00:00Z", "1985-04-30T23:59:59Z"),
        ("1985-21", "1985-03-01T00:00:00Z", "1985-05-31T23:59:59Z"),
        ("1985-22", "1985-06-01T00:00:00Z", "1985-08-31T23:59:59Z"),
        ("1985-23", "1985-09-01T00:00:00Z", "1985-11-30T23:59:59Z"),
        ("1983-24", "1983-12-01T00:00:00Z", "1984-02-29T23:59:59Z"),
        (
            "1984~/2004-06",
            "1984-01-01T00:00:00Z",
            "2004-06-30T23:59:59Z",
        ),
        (
            "1985-04-12T23:20:30",
            "1985-04-12T23:20:30Z",
            "1985-04-12T23:20:30Z",
        ),
        (
            "1985-04-12T23:20:30-04:00",
            "1985-04-13T03:20:30Z",
            "1985-04-13T03:20:30Z",
        ),
        (
            "1985-01-01T00:20:30+04:30",
            "1984-12-31T19:50:30Z",
            "1984-12-31T19:50:30Z",
        ),
        (
            "2016-12-31T23:59:60Z",
            "2016-12-31T23:59:59Z",
            "2016-12-31T23:59:59Z",
        ),
        (
            "2017-01-01T00:59:60+01:00",
            "2016-12-31T23:59:59Z",
            "2016-12-31T23:59:59Z",
        ),
    ];
    for (text, first, last) in table {
        assert_eq!(
            edtf(text).interval(),
            (Some(at(first)), Some(at(last))),
            "{text}"
        );
    }
    // Seconds that were computed elsewhere (`date -u +%s`).
    assert_eq!(at("1970-01-01T00:00:00Z"), 0);
    assert_eq!(at("2038-01-19T03:14:08Z"), 1 << 31);
    assert_eq!(at("1900-03-01T00:00:00Z"), -2_203_891_200);
    assert_eq!(at("0000-03-01T00:00:00Z"), -62_162_035_200);
}

#[test]
fn open_and_unknown_ends_have_no_bound_and_stay_apart() {
    for (open, unknown) in [("1985/..", "1985/"), ("../1985", "/1985")] {
        assert_ne!(edtf(open), edtf(unknown));
        assert_eq!(edtf(open).interval(), edtf(unknown).interval());
    }
    assert_eq!(
        edtf("1985/..").interval(),
        (Some(at("1985-01-01T00:00:00Z")), None)
    );
    assert_eq!(
        edtf("../1985").interval(),
        (None, Some(at("1985-12-31T23:59:59Z")))
    );
}

#[test]
fn years_beyond_all_seconds_stop_at_the_ends() {
    let far = edtf("Y999999999999999999");
    assert_eq!(far.interval(), (Some(i64::MAX), Some(i64::MAX)));
    let long_ago = edtf("Y-999999999999999999");
    assert_eq!(long_ago.interval(), (Some(i64::MIN), Some(i64::MIN)));
    assert!(
        edtf("Y999999999999999998") < far,
        "the order does not stop there"
    );
    assert!(
        "Y999999999999999999/Y999999999999999998"
            .parse::<Edtf>()
            .is_err()
    );
    assert!(Edtf::from_year(i64::MIN).is_err() && Edtf::from_year(i64::MAX).is_err());
}

#[test]
fn dates_sort_by_their_beginning_and_the_wider_first() {
    let sorted = [
        "Y-20000",
        "-0044",
        "0000",
        "/1930",
        "1935",
        "1940/..",
        "194X",
        "1940",
        "1940-01",
        "1940-01-01",
        "1940-01-01T00:00:00",
        "1940-01-01T00:00:01",
        "1941",
        "Y20000",
    ]
    .map(edtf);
    for pair in sorted.windows(2) {
        assert!(pair[0] < pair[1], "{} before {}", pair[0], pair[1]);
    }
}

#[test]
fn an_offset_is_kept_and_a_local_time_has_none() {
    let table = [
        ("1985-04-12T23:20:30", None),
        ("1985-04-12T23:20:30Z", Some(0)),
        ("1985-04-12T23:20:30-04", Some(-240)),
        ("1985-04-12T23:20:30+04:30", Some(270)),
        ("1844-01-01T00:00:00-15:56", Some(-956)),
        ("1985-04-12", None),
        ("1985/1986", None),
    ];
    for (text, offset) in table {
        assert_eq!(edtf(text).offset_minutes(), offset, "{text}");
    }
}

#[test]
fn a_date_tells_how_exact_and_how_sure_it_is() {
    use Precision::*;
    let table = [
        ("19XX", Century, false, false),
        ("195X~", Decade, true, false),
        ("1950?", Year, false, true),
        ("1950-XX", Year, false, false),
        ("1950-XX-XX", Year, false, false),
        ("Y17000", Year, false, false),
        ("1950-22%", Season, true, true),
        ("1950-05", Month, false, false),
        ("1950-05-XX", Month, false, false),
        ("1950-05-01", Day, false, false),
        ("1950-05-01T10:00:00", Second, false, false),
        ("1950/1951~", Interval, true, false),
        ("1950?/..", Interval, false, true),
    ];
    for (text, precision, is_approximate, is_uncertain) in table {
        let date = edtf(text);
        assert_eq!(date.precision(), precision, "{text}");
        assert_eq!(date.is_approximate(), is_approximate, "{text}");
        assert_eq!(date.is_uncertain(), is_uncertain, "{text}");
    }
}

#[test]
fn parts_that_cannot_be_a_date_are_refused() {
    assert_eq!(Edtf::from_year(1942).unwrap(), edtf("1942"));
    assert_eq!(Edtf::from_year(-12_345).unwrap(), edtf("Y-12345"));
    assert_eq!(Edtf::from_month(-44, 3).unwrap(), edtf("-0044-03"));
    assert_eq!(Edtf::from_day(2000, 2, 29).unwrap(), edtf("2000-02-29"));
    let moment = Edtf::from_moment((2017, 2, 3), (4, 5, 6), Some(-90)).unwrap();
    assert_eq!(moment, edtf("2017-02-03T04:05:06-01:30"));

    let refused = [
        Edtf::from_month(1942, 0),
        Edtf::from_month(1942, 13),
        Edtf::from_month(10_000, 1),
        Edtf::from_day(1942, 2, 29),
        Edtf::from_day(1942, 5, 0),
        Edtf::from_day(i64::MIN, 255, 255),
        Edtf::from_moment((1942, 5, 32), (0, 0, 0), None),
        Edtf::from_moment((1942, 5, 1), (24, 0, 0), None),
        Edtf::from_moment((1942, 5, 1), (0, 60, 0), None),
        Edtf::from_moment((1942, 5, 1), (0, 0, 60), None),
        Edtf::from_moment((1942, 5, 1), (0, 0, 0), Some(1_440)),
        Edtf::from_moment((1942, 5, 1), (0, 0, 0), Some(i16::MIN)),
        Edtf::from_unix_seconds(i64::MAX, None),
        Edtf::from_unix_seconds(i64::MIN, Some(i16::MIN)),
    ];
    for result in refused {
        let error = result.unwrap_err();
        assert!(
            error.to_string().contains("is not a date: expected"),
            "{error}"
        );
    }
}

#[test]
fn a_date_is_a_string_in_json() {
    let json = serde_json::to_string(&edtf("194X~")).unwrap();
    assert_eq!(json, "\"194X~\"");
    assert_eq!(serde_json::from_str::<Edtf>(&json).unwrap(), edtf("194X~"));
    let error = serde_json::from_str::<Edtf>("\"1942-13\"")
        .unwrap_err()
        .to_string();
    assert!(error.contains("a month from 01 to 12"), "{error}");
    assert!(serde_json::from_str::<Edtf>("1942").is_err());
}

#[test]
fn the_calendar_agrees_with_counting_day_by_day() {
    // Two times 400 years around year 0, where signs change, and around now.
    for (first_year, last_year) in [(-401, 401), (1600, 2401)] {
        let mut expected = days_from_civil(first_year, 1, 1);
        for year in first_year..=last_year {
            for month in 1..=12 {
                for day in 1..=month_days(year, month) {
                    assert_eq!(days_from_civil(year, month, day), expected);
                    assert_eq!(civil_from_days(expected as i64), (year, month, day));
                    expected += 1;
                }
            }
        }
    }
    assert_eq!(days_from_civil(1970, 1, 1), 0);
}

/// A year of four digits, with sign.
fn year() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 1800..2100_i64, 1 => -9_999..=9_999_i64]
}

fn date() -> impl Strategy<Value = Edtf> {
    let bare = prop_oneof![
        any::<i64>().prop_filter_map("18 digits", |year| Edtf::from_year(year >> 4).ok()),
        year().prop_filter_map("year", |year| Edtf::from_year(year).ok()),
        (year(), 1..=12_u8).prop_filter_map("month", |(y, m)| Edtf::from_month(y, m).ok()),
        (year(), 1..=12_u8, 1..=31_u8)
            .prop_filter_map("day", |(y, m, d)| Edtf::from_day(y, m, d).ok()),
        (0..1000_u32).prop_map(|decade| edtf(&format!("{decade:03}X"))),
        (0..100_u32).prop_map(|century| edtf(&format!("{century:02}XX"))),
        (0..9999_u32, 21..=24_u32).prop_map(|(y, s)| edtf(&format!("{y:04}-{s}"))),
        (0..9999_u32, 1..=12_u32).prop_map(|(y, m)| edtf(&format!("{y:04}-{m:02}-XX"))),
        (0..9999_u32).prop_map(|y| edtf(&format!("{y:04}-XX"))),
        (0..9999_u32).prop_map(|y| edtf(&format!("{y:04}-XX-XX"))),
    ];
    (bare, prop_oneof![Just(""), Just("?"), Just("~"), Just("%")])
        .prop_map(|(date, mark)| edtf(&format!("{date}{mark}")))
}

fn moment() -> impl Strategy<Value = Edtf> {
    // Years -2000 to 4000, so that no offset leaves -9999 to 9999.
    (
        -125_000_000_000..64_000_000_000_i64,
        proptest::option::of(-1_439..1_440_i16),
    )
        .prop_map(|(seconds, offset)| Edtf::from_unix_seconds(seconds, offset).unwrap())
}

fn any_edtf() -> impl Strategy<Value = Edtf> {
    let end = || {
        prop_oneof![
            date().prop_map(|it| it.to_string()),
            Just("..".into()),
            Just(String::new())
        ]
    };
    let interval = (end(), end()).prop_filter_map("an interval", |(from, until)| {
        let (forth, back) = (format!("{from}/{until}"), format!("{until}/{from}"));
        forth.parse().or_else(|_| back.parse()).ok()
    });
    prop_oneof![date(), moment(), interval]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_printed_reads_back_as_the_same(value in any_edtf()) {
        prop_assert_eq!(edtf(&value.to_string()), value);
    }

    #[test]
    fn any_text_is_read_or_refused_within_it(text in "(\\PC|[0-9XYTZ/.:?~%+-]){0,40}") {
        match text.parse::<Edtf>() {
            Ok(value) => {
                prop_assert_eq!(edtf(&value.to_string()), value);
                let (earliest, latest) = value.interval();
                prop_assert!(earliest.zip(latest).is_none_or(|(first, last)| first <= last));
                prop_assert!(earliest.or(latest).is_some());
            }
            Err(error) => {
                prop_assert!(text.is_char_boundary(error.position()));
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }

    #[test]
    fn the_order_is_total_and_agrees_with_the_sort_key(
        values in proptest::collection::vec(any_edtf(), 3)
    ) {
        let [a, b, c] = [values[0], values[1], values[2]];
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
        if a <= b {
            prop_assert!(a.sort_key() <= b.sort_key());
        }
    }

    #[test]
    fn a_day_lies_within_its_month_its_season_its_year_its_decade_and_its_century(
        year in 0..=9_999_i64, month in 1..=12_u8, day in 1..=31_u8,
    ) {
        let Ok(date) = Edtf::from_day(year, month, day) else { return Ok(()) };
        let (season, season_year) =
            if month < 3 { (24, year - 1) } else { (20 + month / 3, year) };
        let mut wider = vec![
            format!("{year:04}-{month:02}"), format!("{year:04}-{month:02}-XX"),
            format!("{year:04}"), format!("{year:04}-XX"), format!("{:03}X", year / 10),
            format!("{:02}XX", year / 100),
        ];
        if season_year >= 0 {
            wider.push(format!("{season_year:04}-{season}"));
        }
        let (first, last) = (date.interval().0.unwrap(), date.interval().1.unwrap());
        prop_assert_eq!(last - first, 86_399);
        for text in wider {
            let (from, until) = (edtf(&text).interval().0.unwrap(), edtf(&text).interval().1.unwrap());
            prop_assert!(from <= first && last <= until, "{} in {}", date, text);
        }
    }

    #[test]
    fn a_moment_is_where_the_clock_says_less_its_offset(
        seconds in -125_000_000_000..64_000_000_000_i64, offset in -1_439..1_440_i16,
    ) {
        let moment = Edtf::from_unix_seconds(seconds, Some(offset)).unwrap();
        prop_assert_eq!(moment.interval(), (Some(seconds), Some(seconds)));
        prop_assert_eq!(moment.offset_minutes(), Some(offset));
        let text = moment.to_string();
        let local = edtf(&text[..text.find('T').unwrap() + 9]);
        prop_assert_eq!(local.sort_key(), seconds + i64::from(offset) * 60);
    }
}
