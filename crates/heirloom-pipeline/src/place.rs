//! Which town or village is nearest to a position, from the table that Heirloom carries within itself.
//!
//! The table (`places/README.md`) is unpacked when it is first asked, and takes 6 MB from then on. What is
//! far from every place is nowhere: better no name than a wrong one.

use std::{cmp::Reverse, collections::HashMap, sync::LazyLock};

use heirloom_core::{AssetId, map::Position, text::fold};
use heirloom_db::{DbError, place::Named};

use crate::{Context, tool::place::derive};

/// How far from the nearest place something may be and still be said to be there.
const FAR_M: f64 = 40_000.0;
/// Metres in a ten-thousandth of a degree of latitude, all over the Earth.
const METRES: f64 = 11.1195;
/// The most bytes that the table unpacks to.
const TABLE_BYTES: usize = 8 * 1024 * 1024;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let packed = include_bytes!("../places/places.z");
    let countries = include_str!("../places/countries.tsv");
    let in_german = [
        include_str!("../places/regions.tsv"),
        include_str!("../places/towns.tsv"),
    ];
    // A test reads all of it; nothing that anybody does can change it afterwards.
    Table::read(packed, countries, in_german).unwrap_or_default()
});

/// A place that is near.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// What it is called.
    pub named: Named,
    /// How far its middle is away.
    pub distance_m: f64,
}

/// A place of the table, and where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// What it is called.
    pub named: Named,
    /// Where its middle is.
    pub position: Position,
}

/// The places whose names begin so, the best first: what has that very name and many quarters. After a comma may
/// stand how the region or the country begins, as in `Paris, Texas`.
#[must_use]
pub fn find_named(text: &str, limit: usize) -> Vec<Known> {
    TABLE.find_named(text, limit)
}

/// The nearest place; `None` far from all of them.
#[must_use]
pub fn find_nearest(position: Position) -> Option<Near> {
    TABLE.find_nearest(position)
}

/// Gives the positions of these assets their names, as far as they have none yet: they were corrected just
/// now, and the names of the old positions went with these.
///
/// # Errors
/// What the catalogue says.
pub async fn name_positions(ctx: &Context, assets: &[AssetId]) -> Result<(), DbError> {
    let mut families: HashMap<_, Vec<_>> = HashMap::new();
    for asset in ctx.db.find_assets(&ctx.actor, assets).await? {
        if let Some(position) = asset.position {
            let made = families.entry(asset.family_id).or_default();
            made.push((asset.id, derive(position)));
        }
    }
    for (family, made) in families {
        ctx.db.keep_places(family, made).await?;
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Region {
    country: String,
    name: String,
    /// What it is called in German, where that is another name.
    in_german: Option<String>,
}

/// Every place, ordered from south to north. Numbers are ten-thousandths of a degree.
#[derive(Debug, Default)]
struct Table {
    latitudes: Vec<i32>,
    longitudes: Vec<i32>,
    regions_of: Vec<u16>,
    regions: Vec<Region>,
    names: String,
    /// Where each name ends.
    ends: Vec<u32>,
    /// What countries are called, by their code.
    countries: HashMap<String, Vec<String>>,
    /// What towns are called in German, by their country and the name that the table has.
    towns: HashMap<(&'static str, &'static str), &'static str>,
}

impl Table {
    fn read(
        packed: &[u8],
        countries: &str,
        [regions_in_german, towns_in_german]: [&'static str; 2],
    ) -> Option<Self> {
        let raw =
            miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, TABLE_BYTES).ok()?;
        let mut rest = raw.as_slice();
        let mut take = |bytes: usize| {
            let (taken, left) = rest.split_at_checked(bytes)?;
            rest = left;
            Some(taken)
        };
        let mut count = || Some(u32::from_le_bytes(take(4)?.try_into().ok()?) as usize);
        let (region_count, place_count) = (count()?, count()?);
        let numbers = |column: &[u8]| -> Vec<i32> {
            let (numbers, _) = column.as_chunks::<4>();
            numbers
                .iter()
                .map(|bytes| i32::from_le_bytes(*bytes))
                .collect()
        };
        let mut latitudes = numbers(take(place_count * 4)?);
        for at in 1..latitudes.len() {
            latitudes[at] = latitudes[at].checked_add(latitudes[at - 1])?;
        }
        let longitudes = numbers(take(place_count * 4)?);
        let (regions_of, _) = take(place_count * 2)?.as_chunks::<2>();
        let regions_of: Vec<u16> = regions_of
            .iter()
            .map(|bytes| u16::from_le_bytes(*bytes))
            .collect();
        let in_german: HashMap<&str, &str> = regions_in_german
            .lines()
            .filter_map(|line| line.rsplit_once('\t'))
            .collect();
        let mut lines = std::str::from_utf8(rest).ok()?.lines();
        let regions: Vec<Region> = lines
            .by_ref()
            .take(region_count)
            .filter_map(|line| Some((line.split_once('\t')?, in_german.get(line))))
            .map(|((country, name), in_german)| Region {
                country: country.to_owned(),
                name: name.to_owned(),
                in_german: in_german.map(|name| (*name).to_owned()),
            })
            .collect();
        let mut names = String::with_capacity(rest.len());
        let mut ends = Vec::with_capacity(place_count);
        for name in lines {
            names.push_str(name);
            ends.push(u32::try_from(names.len()).ok()?);
        }
        let is_whole = regions.len() == region_count
            && ends.len() == place_count
            && regions_of
                .iter()
                .all(|region| usize::from(*region) < region_count);
        is_whole.then(|| Self {
            latitudes,
            longitudes,
            regions_of,
            regions,
            names,
            ends,
            countries: countries
                .lines()
                .filter_map(|line| line.split_once('\t'))
                .map(|(code, names)| {
                    let mut names: Vec<String> = names.split('\t').map(str::to_owned).collect();
                    names.dedup();
                    (code.to_owned(), names)
                })
                .collect(),
            towns: towns_in_german
                .lines()
                .filter_map(|line| line.rsplit_once('\t'))
                .filter_map(|(town, german)| Some((town.split_once('\t')?, german)))
                .collect(),
        })
    }

    /// Only a band of latitudes can be near; in it, whatever is nearest.
    fn find_nearest(&self, position: Position) -> Option<Near> {
        let latitude = position.latitude() * 1e4;
        let longitude = position.longitude() * 1e4;
        let narrower = position.latitude().to_radians().cos();
        let reach = FAR_M / METRES;
        let first = self
            .latitudes
            .partition_point(|place| f64::from(*place) < latitude - reach);
        let until = self
            .latitudes
            .partition_point(|place| f64::from(*place) <= latitude + reach);
        let mut nearest: Option<(usize, f64)> = None;
        for at in first..until {
            let north = f64::from(self.latitudes[at]) - latitude;
            let apart = (f64::from(self.longitudes[at]) - longitude).abs();
            let east = apart.min(3_600_000.0 - apart) * narrower;
            let square = north * north + east * east;
            if nearest.is_none_or(|(_, least)| square < least) {
                nearest = Some((at, square));
            }
        }
        let (at, square) = nearest?;
        let distance_m = square.sqrt() * METRES;
        (distance_m <= FAR_M).then(|| Near {
            named: self.named(at),
            distance_m,
        })
    }

    fn find_named(&self, text: &str, limit: usize) -> Vec<Known> {
        let (name, within) = text.split_once(',').unwrap_or((text, ""));
        let (name, within) = (fold(name.trim()), fold(within.trim()));
        if name.is_empty() {
            return Vec::new();
        }
        // Quarters have the name of their town, so that a town of many is a large one.
        let mut towns: HashMap<(u16, &str), Vec<usize>> = HashMap::new();
        let meant: Vec<_> = self
            .towns
            .iter()
            .filter(|(_, german)| fold(german).starts_with(&name))
            .map(|(town, german)| (*town, fold(german) == name))
            .collect();
        let is_meant = |region: u16, called: &str| {
            let country = &self.regions[usize::from(region)].country;
            let town = (country.as_str(), called);
            meant.iter().find(|(meant, _)| *meant == town)
        };
        for at in 0..self.ends.len() {
            let is_so = || is_meant(self.regions_of[at], self.name(at)).is_some();
            if begins(self.name(at), &name) || is_so() {
                let town = (self.regions_of[at], self.name(at));
                towns.entry(town).or_default().push(at);
            }
        }
        let mut towns: Vec<_> = towns
            .into_iter()
            .filter(|((region, _), _)| within.is_empty() || self.is_within(*region, &within))
            .collect();
        towns.sort_unstable_by_key(|((region, called), parts)| {
            let is_whole = is_meant(*region, called).is_some_and(|(_, is_whole)| *is_whole);
            let weight = if is_whole || fold(called) == name {
                8
            } else {
                1
            };
            (
                Reverse(parts.len() * weight),
                called.len(),
                *called,
                *region,
            )
        });
        let found = towns.into_iter().take(limit);
        found.map(|(_, parts)| self.known(&parts)).collect()
    }

    fn is_within(&self, region: u16, within: &str) -> bool {
        let Region {
            country,
            name,
            in_german,
        } = &self.regions[usize::from(region)];
        let words = self.countries.get(country).into_iter().flatten();
        let mut called = words.chain([country, name]).chain(in_german);
        called.any(|called| fold(called).starts_with(within))
    }

    /// A town of these parts, where the part is that lies nearest to the middle of all.
    fn known(&self, parts: &[usize]) -> Known {
        let count = i64::try_from(parts.len()).unwrap_or(1).max(1);
        let middle = |column: &[i32]| {
            let sum: i64 = parts.iter().map(|at| i64::from(column[*at])).sum();
            sum / count
        };
        let (north, east) = (middle(&self.latitudes), middle(&self.longitudes));
        let away = |at: &usize| {
            let north = i64::from(self.latitudes[*at]) - north;
            let east = i64::from(self.longitudes[*at]) - east;
            north * north + east * east
        };
        let at = parts.iter().copied().min_by_key(away).unwrap_or_default();
        let degrees = |column: &[i32]| f64::from(column[at]) / 1e4;
        Known {
            named: self.named(at),
            position: Position::from_degrees(degrees(&self.latitudes), degrees(&self.longitudes)),
        }
    }

    fn name(&self, at: usize) -> &str {
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]) as usize;
        &self.names[begin..self.ends[at] as usize]
    }

    fn named(&self, at: usize) -> Named {
        let region = &self.regions[usize::from(self.regions_of[at])];
        let countries = self.countries.get(&region.country).into_iter().flatten();
        let name = self.name(at);
        let town = self.towns.get(&(region.country.as_str(), name));
        Named {
            country: region.country.clone(),
            region: region.name.clone(),
            name: name.to_owned(),
            words: countries
                .chain(&region.in_german)
                .cloned()
                .chain(town.map(|town| (*town).to_owned()))
                .collect(),
        }
    }
}

/// Whether a name begins so, which is folded. Most names are plain letters, and few of them have to be folded.
fn begins(name: &str, folded: &str) -> bool {
    if !name.is_ascii() {
        return fold(name).starts_with(folded);
    }
    let beginning = name.as_bytes().get(..folded.len());
    beginning.is_some_and(|bytes| bytes.eq_ignore_ascii_case(folded.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_place_is_found_by_how_its_name_begins() {
        let first = |text: &str| {
            let found = find_named(text, 5);
            let Known { named, position } = found.first()?.clone();
            let near = find_nearest(position).map(|near| near.named.name);
            assert_eq!(
                near.as_ref(),
                Some(&named.name),
                "it is where it is said to be"
            );
            Some(format!("{}, {}", named.name, named.country))
        };
        for (text, expected) in [
            ("Berl", Some("Berlin, DE")),
            ("  paris ", Some("Paris, FR")),
            ("Paris, Texas", Some("Paris, US")),
            ("paris, vereinigte st", Some("Paris, US")),
            ("Münch", Some("Munich, DE")),
            ("breslau", Some("Wrocław, PL")),
            ("Rom, Italien", Some("Rome, IT")),
            ("Neustadt, Bayern", Some("Neustadt am Kulm, DE")),
            ("São Pau", Some("São Paulo, BR")),
            ("sao paulo", Some("São Paulo, BR")),
            ("", None),
            (", DE", None),
            ("Gibtesnirgends", None),
        ] {
            assert_eq!(first(text).as_deref(), expected, "{text}");
        }
        assert_eq!(find_named("Neustadt", 8).len(), 8);
    }

    fn at(latitude: f64, longitude: f64) -> String {
        match find_nearest(Position::from_degrees(latitude, longitude)) {
            None => String::new(),
            Some(Near { named, .. }) => {
                format!("{}, {}, {}", named.name, named.region, named.country)
            }
        }
    }

    #[test]
    fn a_position_is_called_after_what_is_nearest() {
        let cases = [
            (
                "the Brandenburg Gate",
                52.5163,
                13.3777,
                "Berlin, State of Berlin, DE",
            ),
            (
                "Hanover's main station",
                52.3765,
                9.7410,
                "Hannover, Lower Saxony, DE",
            ),
            (
                "the Holsten Gate",
                53.8662,
                10.6798,
                "Lübeck, Schleswig-Holstein, DE",
            ),
            (
                "Sydney's opera",
                -33.8568,
                151.2153,
                "The Rocks, New South Wales, AU",
            ),
            (
                "the last town before the date line",
                -16.42,
                179.38,
                "Labasa, Northern, FJ",
            ),
        ];
        for (what, latitude, longitude, expected) in cases {
            assert_eq!(at(latitude, longitude), expected, "{what}");
        }
    }

    #[test]
    fn what_is_far_from_everything_is_nowhere() {
        let cases = [
            ("the Atlantic", 30.0, -40.0),
            ("where the axes meet", 0.0, 0.0),
            ("the North Pole", 90.0, 0.0),
            ("the South Pole", -90.0, 180.0),
            ("the middle of Greenland", 75.0, -40.0),
        ];
        for (what, latitude, longitude) in cases {
            assert_eq!(at(latitude, longitude), "", "{what}");
        }
    }

    #[test]
    fn all_that_is_carried_can_be_read() {
        assert!(TABLE.latitudes.len() > 150_000);
        assert!(TABLE.latitudes.is_sorted());
        assert!(
            TABLE
                .longitudes
                .iter()
                .all(|place| place.abs() <= 1_800_000)
        );
        for at in 0..TABLE.latitudes.len() {
            let named = TABLE.named(at);
            assert!(
                !named.name.is_empty() && named.country.len() == 2,
                "{named:?}"
            );
            assert!(!named.words.is_empty(), "{named:?}");
        }
        assert_eq!(TABLE.countries["DE"], ["Germany", "Deutschland"]);
        assert_eq!(TABLE.countries["LI"], ["Liechtenstein"]);
        let translated = TABLE.regions.iter().filter(|it| it.in_german.is_some());
        let lines = include_str!("../places/regions.tsv").lines();
        assert_eq!(
            translated.count(),
            lines.count(),
            "each of them is a region"
        );
        let mut towns: HashSet<_> = TABLE.towns.keys().copied().collect();
        for at in 0..TABLE.latitudes.len() {
            let country = &TABLE.regions[usize::from(TABLE.regions_of[at])].country;
            towns.remove(&(country.as_str(), TABLE.name(at)));
        }
        assert_eq!(towns, HashSet::new(), "each of them is a town");
    }
}
