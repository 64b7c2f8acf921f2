//! What a dump says of one picture, as it is kept beside it.

use heirloom_core::claim::ClaimKind;
use serde_json::Value;

use crate::{
    moment::{Moment, Reading},
    notes::Notes,
    property,
};

/// Reads what a dump says of one picture.
pub(crate) fn read(bytes: &[u8], out: &mut Notes) {
    let Ok(root @ Value::Object(_)) = serde_json::from_slice(bytes) else {
        out.problem("What Immich's database says of the picture is broken.");
        return;
    };
    let text = |name: &str| root.get(name).and_then(Value::as_str).unwrap_or_default();
    // What somebody set there is locked against what is read in the file.
    let locked = text("lockedProperties").trim_matches(['{', '}']).to_owned();
    let sure = |name: &str, otherwise: f32| {
        let is_locked = locked.split(',').any(|it| it.trim_matches('"') == name);
        if is_locked { 0.97 } else { otherwise }
    };
    out.property(property::FOREIGN_ID, text("id"));
    out.property("original_name", text("originalFileName"));
    // Without a date of the camera, Immich takes that of the file.
    let (instant, otherwise) = match text("dateTimeOriginal") {
        "" => (text("fileCreatedAt"), 0.2),
        taken => (taken, 0.6),
    };
    let reading = moment_of(text("localDateTime"), instant);
    if let Some(moment) = reading {
        let confidence = sure("dateTimeOriginal", otherwise);
        out.date(Reading::Moment(moment), "immich:localDateTime", confidence);
    }
    let number = |name: &str| text(name).parse::<f64>().ok();
    if let (Some(latitude), Some(longitude)) = (number("latitude"), number("longitude")) {
        let confidence = sure("latitude", 0.6);
        out.position(latitude, longitude, None, "immich:latitude", confidence);
    }
    let caption = text("description");
    let confidence = sure("description", 0.85);
    out.text(
        ClaimKind::Caption,
        caption,
        "immich:description",
        confidence,
    );
    if let Ok(stars) = text("rating").parse() {
        let confidence = sure("rating", 0.85);
        out.number(ClaimKind::Rating, stars, "immich:rating", confidence);
    }
    for (name, kind) in [("people", ClaimKind::Person), ("tags", ClaimKind::Tag)] {
        let list = root.get(name).and_then(Value::as_array);
        for words in list.into_iter().flatten().filter_map(Value::as_str) {
            out.text(kind, words, &format!("immich:{name}"), 0.85);
        }
    }
    for (name, kept) in [
        ("isFavorite", property::FAVORITE),
        ("isArchived", property::ARCHIVED),
        ("isLocked", property::PRIVATE),
        ("isTrashed", property::DELETED),
    ] {
        if root.get(name).and_then(Value::as_bool) == Some(true) {
            out.property(kept, "true");
        }
    }
}

/// The local time, which is written as if it were in UTC, with what it is away from the true one.
fn moment_of(local: &str, instant: &str) -> Option<Moment> {
    let local_s = seconds_of(local)?;
    let moment = Moment::from_unix(local_s)?;
    let minutes = seconds_of(instant)
        .and_then(|instant_s| local_s.checked_sub(instant_s))
        .filter(|away| away % 900 == 0 && away.abs() <= 14 * 3600)
        .and_then(|away| i16::try_from(away / 60).ok());
    Some(moment.with_offset(None).with_offset(minutes))
}

/// Seconds since 1970 of `2012-07-01 14:00:00.5+02`.
fn seconds_of(text: &str) -> Option<i64> {
    let (date, rest) = text.trim().split_once([' ', 'T'])?;
    let at = rest.find(['+', '-', 'Z']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(at)?;
    let clock = clock.split('.').next()?;
    let mut date = date.split('-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let mut clock = clock.split(':').map(str::parse::<i64>);
    let (hour, minute) = (clock.next()?.ok()?, clock.next()?.ok()?);
    let second = clock.next().map_or(Some(0), Result::ok)?;
    let is_right = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    if !is_right {
        return None;
    }
    let away = match zone.as_bytes().first() {
        None | Some(b'Z') => 0,
        Some(sign) => {
            let mut parts = zone.get(1..)?.split(':').map(str::parse::<i64>);
            let hours = parts
                .next()?
                .ok()
                .filter(|hours| (0..=15).contains(hours))?;
            let minutes = parts.next().map_or(Some(0), Result::ok)?;
            let minutes = hours * 60 + minutes.clamp(0, 59);
            if *sign == b'-' { -minutes } else { minutes }
        }
    };
    // Howard Hinnant, "chrono-compatible low-level date algorithms".
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year
        - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second - away * 60)
}
