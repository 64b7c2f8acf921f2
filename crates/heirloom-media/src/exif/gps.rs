//! The GPS directory.

use crate::{
    moment::Moment,
    notes::Notes,
    tiff::{Bytes, Directory, Layout, Value},
};

const LATITUDE_SIDE: u16 = 1;
const LATITUDE: u16 = 2;
const LONGITUDE_SIDE: u16 = 3;
const LONGITUDE: u16 = 4;
const ALTITUDE_SIDE: u16 = 5;
const ALTITUDE: u16 = 6;
const TIME: u16 = 7;
const DATUM: u16 = 18;
const DATE: u16 = 29;

/// States position and time of the receiver, as far as they are there.
pub(super) fn read(bytes: &mut dyn Bytes, layout: Layout, directory: &Directory, out: &mut Notes) {
    let mut value = |tag| directory.value(bytes, layout, tag);
    let latitude = value(LATITUDE);
    let longitude = value(LONGITUDE);
    let latitude_side = value(LATITUDE_SIDE)
        .map(|side| side.text())
        .unwrap_or_default();
    let longitude_side = value(LONGITUDE_SIDE)
        .map(|side| side.text())
        .unwrap_or_default();
    if let (Some(latitude), Some(longitude)) = (&latitude, &longitude) {
        let is_sided = !latitude_side.trim().is_empty() && !longitude_side.trim().is_empty();
        let position = (
            degrees(latitude, &latitude_side),
            degrees(longitude, &longitude_side),
        );
        if let (Some(latitude), Some(longitude)) = position {
            if !is_sided {
                out.problem("exif:GPS does not say whether it is north or south, east or west.");
            }
            let below = value(ALTITUDE_SIDE)
                .is_some_and(|side| side.unsigned(0) == Some(1) || side.text().starts_with('1'));
            let altitude = value(ALTITUDE)
                .and_then(|metres| metres.number(0))
                .map(|metres| if below { -metres.abs() } else { metres });
            let confidence = if is_sided { 0.9 } else { 0.5 };
            out.position(latitude, longitude, altitude, "exif:GPS", confidence);
        } else {
            out.problem("exif:GPS has no readable position.");
        }
    }
    if let Some(datum) = value(DATUM) {
        out.property("gps_datum", datum.text());
    }
    let (Some(date), Some(time)) = (value(DATE), value(TIME)) else {
        return;
    };
    let moment = Moment::read(&date.text()).moment();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked"
    )]
    let part = |number| {
        time.number(number)
            .filter(|part| (0.0..=60.0).contains(part))
            .map(|part| part as u8)
    };
    if let (Some(moment), Some(hour), Some(minute), Some(second)) =
        (moment, part(0), part(1), part(2))
        && let Some(moment) = moment.at(hour, minute, second)
    {
        // Receivers count in UTC.
        let moment = moment.with_offset(Some(0));
        out.date(
            crate::moment::Reading::Moment(moment),
            "exif:GPSDateTime",
            0.6,
        );
    }
}

/// Degrees, minutes and seconds with their side of the globe.
fn degrees(value: &Value, side: &str) -> Option<f64> {
    let whole = value.number(0)?;
    let minutes = value.number(1).unwrap_or(0.0);
    let seconds = value.number(2).unwrap_or(0.0);
    let magnitude = whole.abs() + minutes / 60.0 + seconds / 3600.0;
    let is_negative =
        whole < 0.0 || matches!(side.trim().chars().next(), Some('S' | 's' | 'W' | 'w'));
    Some(if is_negative { -magnitude } else { magnitude })
}
