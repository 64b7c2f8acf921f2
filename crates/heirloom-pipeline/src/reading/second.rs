//! A second reader beside the models of this machine: tesseract, where that is installed and somebody chose it. What it reads
//! is never shown in place of what they read: where the two differ, a word is less sure.
//!
//! It is shown the lines of a page straight and one below the other, so it has to find none, and it is known of each word that it
//! reads in which line that stands.

use std::{
    fs::File,
    io::{Seek as _, Write as _},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use heirloom_core::reading::Page;
use heirloom_models::reading::Stack;
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use crate::confinement::{Command, Confinement, ConfinementError, Finished, JobHeader, Limits};

/// What it is started as.
const PROGRAM: &str = "tesseract";
/// A page is one block of lines.
const ONE_BLOCK: &str = "6";
/// A word, in the table that it writes.
const WORD: &str = "5";

/// tesseract, with the languages that it reads. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct SecondReader {
    confinement: Confinement,
    scratch: PathBuf,
    languages: Arc<[String]>,
}

impl SecondReader {
    /// Reads these languages, by the names that tesseract has for them: `deu`, `eng`. What is under way lies in `scratch`.
    #[must_use]
    pub fn new(confinement: Confinement, scratch: PathBuf, languages: &[String]) -> Self {
        Self {
            confinement,
            scratch,
            languages: languages.into(),
        }
    }

    /// Whether a text is what a language can be called.
    #[must_use]
    pub fn is_language(text: &str) -> bool {
        let is_one = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        (2..=24).contains(&text.len()) && text.chars().all(is_one)
    }

    /// The languages that it is asked for; none where nobody chose it.
    #[must_use]
    pub fn languages(&self) -> &[String] {
        &self.languages
    }

    /// Whether somebody chose it and it is installed.
    pub(crate) fn is_there(&self) -> bool {
        !self.languages.is_empty() && self.confinement.has_program(PROGRAM)
    }

    /// What the keys of artifacts have of it: nothing where it does not read.
    pub(crate) fn suffix(&self) -> String {
        match self.is_there() {
            true => format!("+{PROGRAM}-{}", self.languages.join("-")),
            false => String::new(),
        }
    }

    /// The version that is installed, and the languages that are there.
    ///
    /// # Errors
    /// [`ConfinementError::CouldNotStart`] where none is.
    pub async fn installed(&self) -> Result<(String, Vec<String>), ConfinementError> {
        let version = self.run(vec!["--version".into()], None).await?;
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        // "tesseract 5.3.0", then its libraries.
        let version = version.lines().next().unwrap_or_default();
        let version = version.trim_start_matches("tesseract ").trim().to_owned();
        let listed = self.run(vec!["--list-langs".into()], None).await?;
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let languages = listed.lines().skip(1).map(str::trim);
        // What finds out how a page lies is no language.
        let languages = languages.filter(|name| !name.is_empty() && *name != "osd");
        Ok((version, languages.map(str::to_owned).collect()))
    }

    /// Takes the stacks out of what was said of pages, and what is in them into account. What it cannot read stays as it is, and
    /// that is said.
    pub(super) async fn hear(&self, parts: Vec<(JobHeader, Bytes)>) -> Vec<(JobHeader, Bytes)> {
        let mut heard: Vec<(JobHeader, Bytes)> = Vec::with_capacity(parts.len());
        for (header, bytes) in parts {
            if header["stack"].is_null() {
                heard.push((header, bytes));
                continue;
            }
            let said = match self.read(&header, &bytes).await {
                Ok(words) => compare(&mut heard, &header["of"], &words),
                Err(error) => {
                    let why = error.to_string();
                    let why = why.trim_end_matches('.');
                    json!({ "problem": format!("tesseract did not read a page: {why}.") })
                }
            };
            heard.push((said, Bytes::new()));
        }
        heard
    }

    /// The words of a stack, each with its line.
    async fn read(
        &self,
        header: &JobHeader,
        levels: &Bytes,
    ) -> Result<Vec<(usize, String)>, ConfinementError> {
        let could_not = |error| ConfinementError::could_not_start(PROGRAM, &error);
        let size = [0, 1].map(|at| header["stack"][at].as_u64().unwrap_or_default());
        let mut input = std::fs::create_dir_all(&self.scratch)
            .and_then(|()| tempfile::tempfile_in(&self.scratch))
            .map_err(could_not)?;
        // A grey picture as it is (Netpbm's PGM).
        let begin = format!("P5\n{} {}\n255\n", size[0], size[1]);
        input.write_all(begin.as_bytes()).map_err(could_not)?;
        input.write_all(levels).map_err(could_not)?;
        input.rewind().map_err(could_not)?;
        let languages = self.languages.join("+");
        let arguments = [
            Command::INPUT,
            "stdout",
            "-l",
            &languages,
            "--psm",
            ONE_BLOCK,
            "-c",
            "tessedit_create_tsv=1",
        ];
        let arguments = arguments.map(str::to_owned).into();
        let finished = self.run(arguments, Some(input)).await?;
        Ok(words_of(&String::from_utf8_lossy(&finished.stdout)))
    }

    async fn run(
        &self,
        arguments: Vec<String>,
        input: Option<File>,
    ) -> Result<Finished, ConfinementError> {
        let command = Command {
            program: PROGRAM.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            input,
            scratch: self.scratch.clone(),
            outputs: Vec::new(),
            limits: Limits {
                wall: Duration::from_secs(300),
                cpu: Duration::from_secs(120),
                memory_bytes: 2 << 30,
                scratch_bytes: 1 << 20,
                stdout_bytes: 16 << 20,
            },
        };
        self.confinement
            .run(command, &CancellationToken::new())
            .await
    }
}

/// Compares the page of that number with what was read in its lines; what is said of that.
fn compare(heard: &mut [(JobHeader, Bytes)], number: &Json, words: &[(usize, String)]) -> Json {
    let found = heard
        .iter_mut()
        .find(|(header, _)| header["page"] == *number);
    let page = found.and_then(|(_, bytes)| {
        let page = serde_json::from_slice::<Page>(bytes).ok()?;
        Some((bytes, page))
    });
    let Some((bytes, mut page)) = page else {
        return json!({});
    };
    let mut others = vec![None; page.lines().count()];
    let placed = page
        .lines()
        .enumerate()
        .filter(|(_, line)| line.corners.is_some());
    let shown: Vec<usize> = placed.map(|(at, _)| at).take(Stack::MOST).collect();
    for at in &shown {
        others[*at] = Some(String::new());
    }
    for (line, word) in words {
        if let Some(Some(text)) = shown.get(*line).and_then(|at| others.get_mut(*at)) {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
    }
    if page.compare(&others) {
        *bytes = serde_json::to_vec(&page).unwrap_or_default().into();
        return json!({ "second": PROGRAM });
    }
    json!({})
}

/// The words in a table of tesseract's, each with the line of the stack that it stands in, in the order in which they are read.
fn words_of(table: &str) -> Vec<(usize, String)> {
    let word = |row: &str| {
        let cells: Vec<&str> = row.split('\t').collect();
        let [WORD, _, _, _, _, _, left, top, _, height, _, text] = cells.as_slice() else {
            return None;
        };
        let number = |text: &str| text.parse::<f32>().ok();
        let line = Stack::line_at(number(top)? + number(height)? / 2.0);
        let text = text.trim();
        (!text.is_empty()).then(|| Some((line, number(left)? as u32, text.to_owned())))?
    };
    let mut words: Vec<_> = table.lines().filter_map(word).collect();
    words.sort_by_key(|(line, left, _)| (*line, *left));
    words
        .into_iter()
        .map(|(line, _, text)| (line, text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_table_stand_in_their_lines() {
        let table = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n\
            1\t1\t0\t0\t0\t0\t0\t0\t900\t152\t-1\t\n\
            4\t1\t1\t1\t1\t0\t20\t24\t800\t40\t-1\t\n\
            5\t1\t1\t1\t1\t2\t120\t26\t90\t36\t91.2\tHafen\n\
            5\t1\t1\t1\t1\t1\t20\t24\t80\t40\t96.1\tDer\n\
            5\t1\t1\t1\t2\t1\t20\t90\t80\t38\t96.1\tist\n\
            5\t1\t1\t1\t2\t2\t120\t90\t80\t38\t10\t \n\
            5\tnonsense\n";
        let words = words_of(table);
        let words: Vec<_> = words
            .iter()
            .map(|(line, text)| (*line, text.as_str()))
            .collect();
        assert_eq!(words, [(0, "Der"), (0, "Hafen"), (1, "ist")]);
    }

    #[test]
    fn a_language_is_a_name_and_nothing_else() {
        for name in ["deu", "eng", "chi_sim", "deu_latf"] {
            assert!(SecondReader::is_language(name), "{name}");
        }
        for text in ["", "e", "deu+eng", "../eng", "--psm", "d e"] {
            assert!(!SecondReader::is_language(text), "{text}");
        }
    }
}
