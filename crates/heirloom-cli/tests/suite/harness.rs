//! The program with a data folder and a few originals.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use heirloom_testing::{
    TreeSnapshot,
    jpeg::{self, Options},
    models,
    process::{Finished, Heirloom, PATIENCE},
    wav,
};
use serde_json::Value as Json;
use tempfile::TempDir;

/// A folder of one's own with the program, a data folder and originals.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
    pub(crate) heirloom: Heirloom,
}

/// The program that was built for these tests.
pub(crate) fn program() -> Heirloom {
    Heirloom::new(env!("CARGO_BIN_EXE_heirloom"))
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let heirloom = program().data(folder.path().join("data"));
        Self { folder, heirloom }
    }

    /// With the originals of [`pictures`](Self::pictures) catalogued.
    pub(crate) fn scanned() -> Self {
        let home = Self::new();
        let root = home.pictures();
        home.done(["scan", path(&root)]);
        home
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Two photographs with dates and cameras, one without, a recording, and a file that is passed over.
    pub(crate) fn pictures(&self) -> PathBuf {
        let root = self.folder.path().join("Pictures");
        fs::create_dir_all(root.join("Am Meer")).unwrap();
        let taken = |at: &str| Options {
            taken: Some(at.to_owned()),
            make: Some("Canon".to_owned()),
            model: Some("EOS 70D".to_owned()),
            ..Options::default()
        };
        let files = [
            (
                "Am Meer/Strand.jpg",
                jpeg::tiny(1, &taken("1974:07:01 10:00:00")),
            ),
            (
                "Am Meer/Düne.jpg",
                jpeg::tiny(2, &taken("1980:08:02 11:30:00")),
            ),
            ("no date.jpg", jpeg::tiny(3, &Options::default())),
            ("Oma erzählt.wav", wav::tiny(4)),
            (".DS_Store", b"made by a system".to_vec()),
        ];
        for (name, bytes) in files {
            fs::write(root.join(name), bytes).unwrap();
        }
        root
    }

    /// A folder whose scan does not end by itself.
    pub(crate) fn endless(&self) -> PathBuf {
        let root = self.folder.path().join("endless");
        fs::create_dir_all(&root).unwrap();
        endless_film(&root);
        root
    }

    /// A folder with that many pictures, each with enough bytes to read.
    pub(crate) fn many(&self, files: u64) -> PathBuf {
        let root = self.folder.path().join("many");
        fs::create_dir_all(&root).unwrap();
        for number in 0..files {
            let options = Options {
                padding_bytes: 200_000,
                ..Options::varied(number)
            };
            let file = root.join(format!("{number:04}.jpg"));
            fs::write(file, jpeg::tiny(number, &options)).unwrap();
        }
        root
    }

    /// Runs a command that must end with 0.
    #[track_caller]
    pub(crate) fn done<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Finished {
        self.heirloom.run(arguments).expect_code(0)
    }

    /// The JSON of a command that must end with 0.
    #[track_caller]
    pub(crate) fn json<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Json {
        let arguments = arguments.into_iter().chain(["--json"]);
        self.done(arguments).json()
    }

    /// The id of the asset whose file is called so.
    pub(crate) fn asset(&self, name: &str) -> String {
        let list = self.json(["asset", "list", "--limit", "500"]);
        let mut items = list["items"].as_array().unwrap().iter();
        let found = items.find(|item| item["name"] == name);
        found.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Runs a command that must be refused with one sentence and a hint, and must change nothing in
    /// the folder of originals nor in what is known; gives what it said.
    #[track_caller]
    pub(crate) fn refused<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        let finished = self.heirloom.run(arguments).expect_code(2);
        assert_refusal(&finished)
    }
}

/// Puts models into a folder as if they had been fetched.
pub(crate) fn bring(folder: &Path, ids: &[&str]) {
    for id in ids {
        fs::create_dir_all(folder.join(id)).unwrap();
        for entry in fs::read_dir(models::folder().join(id)).unwrap() {
            let entry = entry.unwrap();
            let copy = folder.join(id).join(entry.file_name());
            if fs::hard_link(entry.path(), &copy).is_err() {
                fs::copy(entry.path(), &copy).unwrap();
            }
        }
    }
}

/// That the program refused in the one form: a sentence, a hint, nothing else.
#[track_caller]
pub(crate) fn assert_refusal(finished: &Finished) -> String {
    let said = finished.stderr.trim_end().to_owned();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "one sentence and one hint: {said}");
    assert!(
        lines[0].starts_with("error: ") && lines[0].len() > 20,
        "{said}"
    );
    assert!(
        lines[1].starts_with("hint: ") && lines[1].len() > 12,
        "{said}"
    );
    assert_eq!(finished.stdout, "", "{said}");
    said
}

/// The parts of a folder that a refusal must leave as they are.
pub(crate) fn snapshot(folder: &Path) -> TreeSnapshot {
    TreeSnapshot::of(folder)
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The words that let strace start the program and write down those of its system calls.
pub(crate) fn strace(calls: &str, trace: &Path) -> Vec<String> {
    // -D: the program is the child of the test, and strace its own affair. -y: what a descriptor
    // stands for. -s: of bytes that are read or written, nothing.
    let calls = format!("trace={calls}");
    let words = ["strace", "-D", "-f", "-y", "-q", "-s", "0", "-e", &calls];
    let words = words.into_iter().chain(["-o", path(trace)]);
    words.map(str::to_owned).collect()
}

/// What strace wrote of a program once that has ended with everything that it started.
///
/// # Panics
/// When something that it started goes on.
pub(crate) fn read_trace(trace: &Path) -> String {
    let started = Instant::now();
    loop {
        let bytes = fs::read(trace).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut living = BTreeSet::new();
        for line in text.lines() {
            let (id, call) = line.split_once(' ').unwrap_or_default();
            if call.trim_start().starts_with("+++ ") {
                living.remove(id);
            } else {
                living.insert(id);
            }
        }
        if living.is_empty() && text.ends_with('\n') {
            return text;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "these were left over: {living:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Fixed words for what differs from run to run, so that snapshots compare.
pub(crate) fn redacted(test: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    for (pattern, words) in [
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
            "[id]",
        ),
        (r#"/[^ "]*/\.tmp[A-Za-z0-9]{6}"#, "[home]"),
        (r#"("[a-z_]+_ms"): \d+"#, "$1: \"[ms]\""),
        (r#"("(?:free|resident)_bytes"): \d+"#, "$1: \"[bytes]\""),
        (r#"("[a-z_]+_per_second"): [0-9.]+"#, "$1: \"[rate]\""),
        (r"read in [0-9.]+ s", "read in [time]"),
        (r"(originals?) in [0-9.]+ s", "$1 in [time]"),
        (r"\d+ GB are left", "[space] are left"),
        (r"SQLite [0-9.]+", "SQLite [version]"),
        (r#"FFmpeg [^ "]+"#, "FFmpeg [version]"),
        (
            r"tesseract \S+ is here with .*?, and reads",
            "tesseract [version] is here, and reads",
        ),
        (
            r#"the data folder is on \S+ at [^\s"]+|the system does not say what the data folder is on"#,
            "the data folder is on [disk]",
        ),
        // What is said of a temporary folder in memory.
        (r#""What is kept there is gone[^"]*""#, "null"),
        (r"hint \(disk\): [^\n]*\n?", ""),
        (
            r"\d+ GB of memory are allowed|memory is not limited",
            "[memory] is allowed",
        ),
        (r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:[port]"),
        (r"process \d+", "process [pid]"),
        (r"\bc[0-9a-f]{24,26}\b", "[cursor]"),
        (r"(\S) {2,}", "$1  "),
    ] {
        settings.add_filter(pattern, words);
    }
    settings.set_prepend_module_to_snapshot(true);
    settings.bind(test);
}

/// A film of 1 TiB that takes no space, last in its folder. Nobody reads it while a test runs:
/// its scan lasts until it is ended, on any machine.
pub(crate) fn endless_film(folder: &Path) -> PathBuf {
    let film = folder.join("z.mov");
    fs::File::create(&film).unwrap().set_len(1 << 40).unwrap();
    film
}

/// Seeded chance (xorshift64*), so that a failing round can be run again.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: Duration) -> Duration {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let draw = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        limit.mul_f64(draw as f64 / (1_u64 << 53) as f64)
    }
}
