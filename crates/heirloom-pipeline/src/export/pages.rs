//! Writing the pages of an export from what was gathered of each asset, newest first.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{self, BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write as _},
    path::PathBuf,
};

use heirloom_core::{AssetId, Bucket, bucket::Span};

use super::{
    ExportError,
    bag::{Bag, written},
    html::{
        Card, FILES, ON_A_PAGE, Way, render_index, render_search_part, render_search_parts,
        render_things,
    },
    name::safe,
};

/// The most things of one part of what the search looks through.
const IN_A_PART: usize = 2_000;

/// What was gathered of each asset that is shown, on the disk; in memory are forty bytes of each.
pub(super) struct Cards {
    path: PathBuf,
    file: BufWriter<File>,
    length: u64,
    entries: Vec<Entry>,
    times: Vec<String>,
    numbers: HashMap<String, u32>,
}

struct Entry {
    key: i64,
    id: AssetId,
    offset: u64,
    time: u32,
}

/// A collection with what is shown of it.
pub(super) struct Shown {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) assets: Vec<AssetId>,
}

impl Cards {
    pub(super) fn begin(path: PathBuf) -> Result<Self, ExportError> {
        let file = File::create(&path).map_err(|error| written(&path, error))?;
        Ok(Self {
            path,
            file: BufWriter::new(file),
            length: 0,
            entries: Vec::new(),
            times: Vec::new(),
            numbers: HashMap::new(),
        })
    }

    pub(super) fn add(&mut self, key: i64, bucket: Bucket, card: &Card) -> Result<(), ExportError> {
        let time = time_of(bucket);
        let number = match self.numbers.get(&time) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.times.len()).unwrap_or(u32::MAX);
                self.numbers.insert(time.clone(), number);
                self.times.push(time);
                number
            }
        };
        let mut line = serde_json::to_vec(card)
            .map_err(|error| written(&self.path, io::Error::other(error)))?;
        line.push(b'\n');
        let added = self.file.write_all(&line);
        added.map_err(|error| written(&self.path, error))?;
        self.entries.push(Entry {
            key,
            id: card.id,
            offset: self.length,
            time: number,
        });
        self.length += line.len() as u64;
        Ok(())
    }

    /// Writes every page.
    pub(super) fn write_pages(
        mut self,
        bag: &mut Bag,
        family: &str,
        collections: &[Shown],
    ) -> Result<(), ExportError> {
        let failed = |path: &PathBuf, error| written(path, error);
        self.file
            .flush()
            .map_err(|error| failed(&self.path, error))?;
        self.entries
            .sort_unstable_by_key(|entry| std::cmp::Reverse(entry.key));
        let mut reader = Reader {
            lines: BufReader::new(
                File::open(&self.path).map_err(|error| failed(&self.path, error))?,
            ),
            path: self.path.clone(),
        };
        let mut ways = Vec::new();
        let mut parts = Vec::new();
        for things in self.entries.chunk_by(|one, other| one.time == other.time) {
            let name = &self.times[things[0].time as usize];
            let stem = match name.as_str() {
                "" => "undated".to_owned(),
                name => safe(&name.replace('/', "-to-")),
            };
            let offsets: Vec<u64> = things.iter().map(|entry| entry.offset).collect();
            let writing = Writing {
                bag: &mut *bag,
                reader: &mut reader,
                stem: &stem,
            };
            let mut searched = writing.write(name, "", &offsets)?;
            let mut number = 0;
            while !searched.is_empty() {
                let rest = searched.split_off(searched.len().min(IN_A_PART));
                number += 1;
                let path = format!("search/{stem}-{number}.js");
                bag.write(
                    &format!("data/{path}"),
                    render_search_part(&searched).as_bytes(),
                )?;
                parts.push(path);
                searched = rest;
            }
            ways.push(Way {
                path: page_path(&stem, 1),
                name: name.clone(),
                count: things.len(),
            });
        }
        let by_id: BTreeMap<AssetId, u64> = match collections.is_empty() {
            true => BTreeMap::new(),
            false => self
                .entries
                .iter()
                .map(|entry| (entry.id, entry.offset))
                .collect(),
        };
        let mut albums = Vec::new();
        for (number, collection) in collections.iter().enumerate() {
            let found = collection
                .assets
                .iter()
                .filter_map(|id| by_id.get(id).copied());
            let offsets: Vec<u64> = found.collect();
            let stem = format!("collection-{:04}", number + 1);
            let writing = Writing {
                bag: &mut *bag,
                reader: &mut reader,
                stem: &stem,
            };
            writing.write(&collection.name, &collection.description, &offsets)?;
            albums.push(Way {
                path: page_path(&stem, 1),
                name: collection.name.clone(),
                count: offsets.len(),
            });
        }
        for (path, text) in FILES {
            bag.write(path, text.as_bytes())?;
        }
        bag.write(
            "data/search/parts.js",
            render_search_parts(&parts).as_bytes(),
        )?;
        let index = render_index(family, &ways, &albums, self.entries.len());
        bag.write("data/index.html", index.as_bytes())
    }
}

struct Reader {
    lines: BufReader<File>,
    path: PathBuf,
}

impl Reader {
    fn read(&mut self, offset: u64) -> Result<Card, ExportError> {
        let mut read = || {
            let mut line = Vec::new();
            self.lines.seek(SeekFrom::Start(offset))?;
            self.lines.read_until(b'\n', &mut line)?;
            serde_json::from_slice(&line).map_err(io::Error::other)
        };
        read().map_err(|error| written(&self.path, error))
    }
}

struct Writing<'a> {
    bag: &'a mut Bag,
    reader: &'a mut Reader,
    stem: &'a str,
}

impl Writing<'_> {
    /// Writes the pages of what belongs together; gives what is found there.
    fn write(
        self,
        name: &str,
        description: &str,
        offsets: &[u64],
    ) -> Result<Vec<(Card, String)>, ExportError> {
        let pages = offsets.len().div_ceil(ON_A_PAGE).max(1);
        let mut all = Vec::new();
        for number in 1..=pages {
            let from = (number - 1) * ON_A_PAGE;
            let until = (from + ON_A_PAGE).min(offsets.len());
            let mut cards = Vec::with_capacity(until - from);
            for offset in &offsets[from..until] {
                cards.push(self.reader.read(*offset)?);
            }
            let path_of = |number| page_path(self.stem, number);
            let page = render_things(name, description, &cards, (number, pages), &path_of);
            let path = page_path(self.stem, number);
            self.bag.write(&format!("data/{path}"), page.as_bytes())?;
            all.extend(cards.into_iter().map(|card| (card, path.clone())));
        }
        Ok(all)
    }
}

fn page_path(stem: &str, number: usize) -> String {
    match number {
        1 => format!("pages/{stem}.html"),
        number => format!("pages/{stem}-{number}.html"),
    }
}

/// What the stretch of time is called that a bucket is in: its year, a decade, or nothing without a date.
fn time_of(bucket: Bucket) -> String {
    let text = bucket.to_string();
    match bucket.begins() {
        None => String::new(),
        Some((_, Span::Day)) => text
            .rsplit_once('-')
            .map_or(text.clone(), |(year, _)| year.to_owned()),
        Some(_) => text,
    }
}
