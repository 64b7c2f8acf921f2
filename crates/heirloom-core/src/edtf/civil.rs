//! Days of the proleptic Gregorian calendar, counted from 1 January 1970.
//!
//! All in `i128`: a year of 18 digits has more seconds than fit into 64 bits.

pub(crate) const DAY_S: i128 = 86_400;

/// The days in 400 years, after which the calendar repeats.
const ERA_DAYS: i128 = 146_097;

/// The days from the first of March of year 0, where each era begins, to 1 January 1970. Years that
/// begin in March have their leap day last, so that it needs no exception.
const EPOCH_DAYS: i128 = 719_468;

/// The day number of a date that exists.
pub(crate) fn days_from_civil(year: i64, month: u8, day: u8) -> i128 {
    let months_since_march = (i128::from(month) + 9) % 12;
    let march_year = i128::from(year) - i128::from(month <= 2);
    let (era, year_of_era) = (march_year.div_euclid(400), march_year.rem_euclid(400));
    let day_of_year = (153 * months_since_march + 2) / 5 + i128::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * ERA_DAYS + day_of_era - EPOCH_DAYS
}

/// The year, month and day of a day number.
pub(crate) fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let days = i128::from(days) + EPOCH_DAYS;
    let (era, day_of_era) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = (months_since_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i128::from(month <= 2);
    (year as i64, month as u8, day as u8)
}

pub(super) const fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The number of days of a month from 1 to 12.
pub(super) const fn month_days(year: i64, month: u8) -> u8 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
