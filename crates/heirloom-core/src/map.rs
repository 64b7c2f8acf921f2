//! Points on Earth, and the cells in which a map counts what lies near each other.
//!
//! A cell is a square of the Mercator map: at level 0 it is the whole world, and each level halves its
//! sides. What lies in a cell lies in one stretch of the codes of the finest level, so that a catalogue
//! finds it by one range of an index, at whatever level it is asked.

use std::{f64::consts::PI, fmt, ops::RangeInclusive, str::FromStr};

/// Units of a [`Position`] in one degree: a centimetre or so.
const PER_DEGREE: f64 = 1e7;

/// A point on Earth (WGS 84), to a centimetre: whole numbers, which add up without any error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Ten-millionths of a degree north.
    pub latitude_e7: i64,
    /// Ten-millionths of a degree east.
    pub longitude_e7: i64,
}

impl Position {
    /// The point at these degrees; what is beyond a pole or the date line is put upon it.
    #[must_use]
    pub fn from_degrees(latitude: f64, longitude: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "at most 1.8e9")]
        let round =
            |degrees: f64, most: f64| (degrees.clamp(-most, most) * PER_DEGREE).round() as i64;
        Self {
            latitude_e7: round(latitude, 90.0),
            longitude_e7: round(longitude, 180.0),
        }
    }

    /// Degrees north.
    #[must_use]
    pub fn latitude(self) -> f64 {
        degrees(self.latitude_e7)
    }

    /// Degrees east.
    #[must_use]
    pub fn longitude(self) -> f64 {
        degrees(self.longitude_e7)
    }
}

impl fmt::Display for Position {
    /// `52.5163,13.3777`, as positions are typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.latitude(), self.longitude())
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn degrees(e7: i64) -> f64 {
    e7 as f64 / PER_DEGREE
}

/// A square of the Mercator map, counted from the north-west.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    level: u8,
    x: u32,
    y: u32,
}

/// The levels that are counted, the coarsest first: each cell holds sixteen of the next level.
pub const LEVELS: [u8; 8] = [2, 4, 6, 8, 10, 12, 14, 16];

/// The finest of them: 600 metres at the equator.
pub const FINEST: u8 = 16;

impl Cell {
    /// The cell of that level in which a point lies. The map ends at 85 degrees; what lies beyond lies
    /// in its last row.
    #[must_use]
    pub fn of(position: Position, level: u8) -> Self {
        let level = level.min(FINEST);
        let (x, y) = on_map(position.latitude(), position.longitude());
        Self {
            level,
            x: at(x, level),
            y: at(y, level),
        }
    }

    /// Its level.
    #[must_use]
    pub const fn level(self) -> u8 {
        self.level
    }

    /// Its number among the cells of its level, such that cells within one are numbered in a row: the
    /// bits of both places, one after the other (Morton, 1966).
    #[must_use]
    pub fn code(self) -> i64 {
        let mut code = 0;
        for bit in (0..self.level).rev() {
            code = code << 2 | i64::from(self.y >> bit & 1) << 1 | i64::from(self.x >> bit & 1);
        }
        code
    }

    /// The cell with that number.
    #[must_use]
    pub fn from_code(level: u8, code: i64) -> Self {
        let level = level.min(FINEST);
        let (mut x, mut y) = (0, 0);
        for bit in 0..level {
            x |= u32::from(code >> (2 * bit) & 1 == 1) << bit;
            y |= u32::from(code >> (2 * bit + 1) & 1 == 1) << bit;
        }
        Self { level, x, y }
    }

    /// The codes of the finest cells within it.
    #[must_use]
    pub fn finest(self) -> RangeInclusive<i64> {
        let below = 1 << (2 * (FINEST - self.level));
        let first = self.code() * below;
        first..=first + below - 1
    }
}

impl fmt::Display for Cell {
    /// `8/134/87`: level, from the west, from the north.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.level, self.x, self.y)
    }
}

/// A text that names no cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cell of the map is written level/x/y, such as 8/134/87")]
pub struct InvalidCell;

impl FromStr for Cell {
    type Err = InvalidCell;

    fn from_str(text: &str) -> Result<Self, InvalidCell> {
        let mut numbers = text.split('/').map(|number| number.parse::<u32>().ok());
        let mut next = || numbers.next().flatten().ok_or(InvalidCell);
        let (level, x, y) = (next()?, next()?, next()?);
        let level = u8::try_from(level).map_err(|_| InvalidCell)?;
        let is_counted = LEVELS.contains(&level) && x >> level == 0 && y >> level == 0;
        if !is_counted || numbers.next().is_some() {
            return Err(InvalidCell);
        }
        Ok(Self { level, x, y })
    }
}

/// What of the map is looked at, in degrees. Where the west is east of the east, it lies across the
/// date line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

/// A text that is no part of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidView {
    /// Not four numbers.
    #[error("a part of the map is written west,south,east,north in degrees")]
    NotFourNumbers,
    /// Beyond the world.
    #[error(
        "a part of the map lies between 90 degrees south and north, and within 180 west and 180 east"
    )]
    Beyond,
    /// South and north are the wrong way round.
    #[error("the south of a part of the map lies north of its north")]
    UpsideDown,
}

impl FromStr for View {
    type Err = InvalidView;

    fn from_str(text: &str) -> Result<Self, InvalidView> {
        let numbers: Vec<f64> = text
            .split(',')
            .map(|number| number.trim().parse().ok().filter(|n: &f64| n.is_finite()))
            .collect::<Option<_>>()
            .ok_or(InvalidView::NotFourNumbers)?;
        let [west, south, east, north] = numbers[..] else {
            return Err(InvalidView::NotFourNumbers);
        };
        if [west, east].iter().any(|n| n.abs() > 180.0)
            || [south, north].iter().any(|n| n.abs() > 90.0)
        {
            return Err(InvalidView::Beyond);
        }
        if south > north {
            return Err(InvalidView::UpsideDown);
        }
        Ok(Self {
            west,
            south,
            east,
            north,
        })
    }
}

impl View {
    /// The most cells that [`cells`](Self::cells) gives.
    pub const MOST_CELLS: usize = 400;

    /// The cells that cover it: those of the finest level that is no finer than `level` and of which
    /// there are not too many.
    #[must_use]
    pub fn cells(&self, level: u8) -> Vec<Cell> {
        let levels = LEVELS.into_iter().rev();
        let mut levels = levels.filter(|counted| *counted <= level.max(LEVELS[0]));
        levels
            .find_map(|level| self.cells_of(level))
            .unwrap_or_default()
    }

    fn cells_of(&self, level: u8) -> Option<Vec<Cell>> {
        let (west, north) = on_map(self.north, self.west);
        let (east, south) = on_map(self.south, self.east);
        let rows = at(north, level)..=at(south, level);
        // Across the date line it is two parts, each up to the edge.
        let columns: Vec<u32> = if self.west <= self.east {
            (at(west, level)..=at(east, level)).collect()
        } else {
            let last = (1 << level) - 1;
            let (from, until) = (at(west, level), at(east, level));
            // Both may end in one cell, when it is nearly all of the world.
            (0..=until.min(last))
                .chain(from.max(until + 1)..=last)
                .collect()
        };
        if rows.clone().count() * columns.len() > Self::MOST_CELLS {
            return None;
        }
        let cells = rows.flat_map(|y| columns.iter().map(move |x| Cell { level, x: *x, y }));
        Some(cells.collect())
    }
}

/// Where a point is on the map, from 0 to 1 from the west and from the north: Web Mercator (EPSG:3857).
fn on_map(latitude: f64, longitude: f64) -> (f64, f64) {
    // Where the map is square.
    const EDGE: f64 = 85.051_128;
    let latitude = latitude.clamp(-EDGE, EDGE).to_radians();
    let x = (longitude + 180.0) / 360.0;
    let y = 0.5 - (PI / 4.0 + latitude / 2.0).tan().ln() / (2.0 * PI);
    (x, y)
}

/// The cell of a level at a place from 0 to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the cells that there are"
)]
fn at(place: f64, level: u8) -> u32 {
    let count = f64::from(1_u32 << level);
    (place * count).floor().clamp(0.0, count - 1.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(latitude: f64, longitude: f64, level: u8) -> String {
        Cell::of(Position::from_degrees(latitude, longitude), level).to_string()
    }

    #[test]
    fn a_point_lies_in_the_cell_that_the_web_s_maps_have_there() {
        // The same as https://wiki.openstreetmap.org/wiki/Slippy_map_tilenames gives.
        let cases = [
            ((52.5163, 13.3777, 10), "10/550/335"),
            ((-33.8568, 151.2153, 12), "12/3768/2457"),
            ((0.0, -180.0, 4), "4/0/8"),
            ((0.0, 180.0, 4), "4/15/8"),
            ((90.0, 0.0, 2), "2/2/0"),
            ((-90.0, 0.0, 2), "2/2/3"),
        ];
        for ((latitude, longitude, level), expected) in cases {
            assert_eq!(cell(latitude, longitude, level), expected);
        }
    }

    #[test]
    fn what_is_within_a_cell_is_one_stretch_of_codes() {
        for (latitude, longitude) in [(52.5, 13.4), (-33.9, 151.2), (0.0, 0.0), (89.0, -179.9)] {
            let position = Position::from_degrees(latitude, longitude);
            let finest = Cell::of(position, FINEST).code();
            for level in LEVELS {
                let cell = Cell::of(position, level);
                assert!(cell.finest().contains(&finest), "{cell}");
                assert_eq!(Cell::from_code(level, cell.code()), cell);
                assert_eq!(cell.to_string().parse(), Ok(cell));
                let below = 1_i64 << (2 * (FINEST - level));
                assert_eq!(finest / below, cell.code(), "{cell}");
            }
        }
    }

    #[test]
    fn a_cell_that_is_not_counted_is_none() {
        for text in [
            "", "8", "8/1", "8/1/2/3", "3/1/1", "8/256/0", "8/-1/0", "18/0/0", "a/b/c",
        ] {
            assert_eq!(text.parse::<Cell>(), Err(InvalidCell), "{text}");
        }
    }

    #[test]
    fn a_view_is_covered_by_no_more_cells_than_are_of_use() {
        let view = |text: &str| text.parse::<View>().unwrap();
        for text in ["-180,-90,180,90", "13,52,14,53", "0,0,0,0", "1,-1,-1,1"] {
            for level in 0..=20 {
                let cells = view(text).cells(level);
                assert!(
                    !cells.is_empty() && cells.len() <= View::MOST_CELLS,
                    "{text}"
                );
                let unique: std::collections::BTreeSet<_> = cells.iter().collect();
                assert_eq!(unique.len(), cells.len(), "{text}");
            }
        }
        let level = view("13,52,14,53").cells(10)[0].level();
        assert_eq!(level, 10);
    }

    #[test]
    fn a_view_across_the_date_line_has_both_sides_and_nothing_between() {
        let cells = "170,-20,-170,-10".parse::<View>().unwrap().cells(8);
        let has = |latitude, longitude| {
            cells.contains(&Cell::of(
                Position::from_degrees(latitude, longitude),
                cells[0].level(),
            ))
        };
        assert!(has(-15.0, 179.0) && has(-15.0, -179.0) && has(-15.0, 180.0));
        assert!(!has(-15.0, 0.0) && !has(-15.0, 160.0) && !has(15.0, 179.0));
    }

    #[test]
    fn what_is_no_part_of_the_map_says_why() {
        let cases = [
            ("", InvalidView::NotFourNumbers),
            ("1,2,3", InvalidView::NotFourNumbers),
            ("1,2,3,4,5", InvalidView::NotFourNumbers),
            ("a,b,c,d", InvalidView::NotFourNumbers),
            ("NaN,0,1,1", InvalidView::NotFourNumbers),
            ("-181,0,1,1", InvalidView::Beyond),
            ("0,-91,1,1", InvalidView::Beyond),
            ("0,2,1,1", InvalidView::UpsideDown),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<View>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn degrees_come_back_to_a_centimetre() {
        let position = Position::from_degrees(52.516_275, -13.377_704);
        assert_eq!(position.to_string(), "52.516275,-13.377704");
        assert_eq!(position.latitude_e7, 525_162_750);
    }
}
