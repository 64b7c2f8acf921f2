//! What is said in recordings, beside faster-whisper with the same weights: how many words are wrong, how far off their
//! beginnings are, and what it costs.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use heirloom_testing::{
    media, models,
    process::{Heirloom, free_address},
};
use serde_json::Value as Json;

use crate::{figures::Figures, options::Options, served};

/// So much more of the words than the peer's may be wrong.
const MARGIN: f64 = 0.01;
/// What a minute of a long recording may cost, compared with one of a short one.
const LONG_TO_SHORT: f64 = 1.2;
/// So far beside the truth a word may begin, in milliseconds.
const BESIDE_MS: f64 = 200.0;
/// So much more processor time than the peer's it may take.
const TIME_TO_PEER: f64 = 1.3;
/// What may be resident meanwhile.
const MEMORY_MB: f64 = 700.0;
/// What of a server may be resident two minutes later.
const RESTING_MB: f64 = 120.0;
/// How often it is looked how much memory is used.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const PEER: &str = include_str!("transcribe/peer.py");

/// A recording of which it is known what is said.
pub(crate) struct Clip {
    pub(crate) file: PathBuf,
    pub(crate) words: Vec<String>,
    /// When each word begins, where that is known.
    starts: Vec<f64>,
}

/// A word, and the second at which it begins.
type Word = (String, f64);

/// What a program took. What confined processes compute is theirs, so all that it started are looked at.
pub(crate) struct Cost {
    pub(crate) output: String,
    pub(crate) cpu_s: f64,
    /// The most that it and what it started had resident at once.
    pub(crate) memory_mb: f64,
}

pub(crate) fn measure(options: &Options) {
    let place = options.folder();
    let clips = clips(options);
    let files: Vec<&Path> = clips.iter().map(|clip| clip.file.as_path()).collect();
    let count: usize = clips.iter().map(|clip| clip.words.len()).sum();
    let title = format!(
        "what is said in {} recordings with {count} words",
        clips.len()
    );
    let figures = Figures::of(&title);
    let peer: Vec<Vec<Word>> = hear_as_peer(&files)
        .output
        .lines()
        .map(words_of_peer)
        .collect();
    let ours: Vec<Vec<Word>> = (files.iter())
        .map(|file| words_of_ours(&hear(place.path(), file).output))
        .collect();
    let wrong = |heard: &[Vec<Word>]| {
        let each = clips.iter().zip(heard);
        each.map(|(clip, heard)| changes(&clip.words, &plain_words(heard)))
            .sum::<usize>() as f64
            / count as f64
    };
    let (wrong, theirs) = (wrong(&ours), wrong(&peer));
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let cells = [
        percent(wrong),
        percent(theirs + MARGIN),
        format!("faster-whisper {}", percent(theirs)),
    ];
    let cells = cells.each_ref().map(String::as_str);
    figures.row("words that are wrong", &cells, wrong > theirs + MARGIN);
    let off = |heard: &[Vec<Word>]| {
        let each = clips.iter().zip(heard);
        let all: Vec<f64> = each
            .flat_map(|(clip, heard)| distances(clip, heard))
            .collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    };
    if let (Some(ours), Some(theirs)) = (off(&ours), off(&peer)) {
        let cells = [
            format!("{ours:.0} ms"),
            format!("{BESIDE_MS:.0} ms"),
            format!("faster-whisper {theirs:.0} ms"),
        ];
        let cells = cells.each_ref().map(String::as_str);
        figures.row("a word's beginning is off, mean", &cells, ours > BESIDE_MS);
    }

    let (minute, long) = (
        place.path().join("minute.wav"),
        place.path().join("long.wav"),
    );
    join(&files, 60, &minute);
    join(&files, options.minutes * 60, &long);
    let (ours, theirs) = (hear(place.path(), &minute), hear_as_peer(&[&minute]));
    for (name, ours, theirs, limit, unit) in [
        (
            "CPU time of a minute, loading too",
            ours.cpu_s,
            theirs.cpu_s,
            theirs.cpu_s * TIME_TO_PEER,
            "s",
        ),
        (
            "the most memory resident",
            ours.memory_mb,
            theirs.memory_mb,
            MEMORY_MB,
            "MB",
        ),
    ] {
        let cells = [
            format!("{ours:.1} {unit}"),
            format!("{limit:.1} {unit}"),
            format!("faster-whisper {theirs:.1} {unit}"),
        ];
        let cells = cells.each_ref().map(String::as_str);
        figures.row(name, &cells, ours > limit);
    }
    let all = hear(place.path(), &long);
    let each = all.cpu_s / options.minutes as f64;
    let name = format!("a minute of {} to one alone", options.minutes);
    figures.at_most(&name, each / ours.cpu_s, LONG_TO_SHORT, "");
    figures.at_most("its memory", all.memory_mb, MEMORY_MB, "MB");
    let (most, after) = serve(place.path(), &long);
    figures.at_most("memory of a server that hears it", most, MEMORY_MB, "MB");
    figures.at_most("two minutes later", after, RESTING_MB, "MB");
}

/// The most that a server and its processes have resident while a recording is understood, and what two minutes later.
fn serve(place: &Path, recording: &Path) -> (f64, f64) {
    let folder = place.join("recordings");
    fs::create_dir_all(&folder).unwrap();
    fs::rename(recording, folder.join("recording.wav")).unwrap();
    let heirloom = served::heirloom(&place.join("library"))
        .env("HEIRLOOM_MODELS", models::folder().to_str().unwrap());
    let address = free_address();
    let mut server = heirloom.start(["serve", "--listen", &address.to_string()]);
    server.wait_until_ready(address);
    let megabytes = |kilobytes: u64| kilobytes as f64 * 1024.0 / 1e6;
    let mut most = 0;
    for arguments in [
        &["scan", folder.to_str().unwrap()][..],
        &["run", "start", "understand", "--wait"],
    ] {
        let mut client = heirloom.command(arguments.iter().copied());
        let mut client = client
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while client.try_wait().unwrap().is_none() {
            most = most.max(look(server.id(), &mut HashMap::new()));
            std::thread::sleep(LOOK_EVERY);
        }
    }
    std::thread::sleep(Duration::from_secs(120));
    let after = look(server.id(), &mut HashMap::new());
    server.stop();
    (megabytes(most), megabytes(after))
}

/// The recordings of the sample library, or those that `manifest.json` in `--data` tells of.
pub(crate) fn clips(options: &Options) -> Vec<Clip> {
    let (manifest, folder) = match &options.data {
        Some(folder) => (folder.join("manifest.json"), folder.clone()),
        None => {
            let testdata = media::repository().join("testdata");
            (testdata.join("sample.json"), media::sample_library())
        }
    };
    let manifest: Json = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    let clip = |known: &Json| {
        let truth = &known["truth"];
        let starts = truth["words"].as_array().into_iter().flatten();
        let text = truth["transcript"]
            .as_str()
            .filter(|text| !text.is_empty())?;
        Some(Clip {
            file: folder.join(known["file"].as_str()?),
            words: plain(text),
            starts: starts
                .filter_map(|word| word["start_sec"].as_f64())
                .collect(),
        })
    };
    let known = manifest["files"].as_array().unwrap().iter();
    let mut clips: Vec<Clip> = known.filter_map(clip).collect();
    clips.retain(|clip| clip.file.exists());
    clips
}

fn hear(place: &Path, file: &Path) -> Cost {
    let program = std::env::current_exe().unwrap().with_file_name("heirloom");
    let heirloom = Heirloom::new(program)
        .data(place.join("data"))
        .env("HEIRLOOM_MODELS", models::folder().to_str().unwrap());
    let file = file.to_str().unwrap();
    measured(heirloom.command(["transcribe", "--json", file]))
}

fn hear_as_peer(files: &[&Path]) -> Cost {
    let mut peer = Command::new("faster-whisper-python");
    peer.arg("-c").arg(PEER);
    peer.arg(models::folder().join("whisper-base")).args(files);
    measured(peer)
}

/// Runs it to its end.
pub(crate) fn measured(mut command: Command) -> Cost {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let mut output = child.stdout.take().unwrap();
    let read = std::thread::spawn(move || std::io::read_to_string(&mut output).unwrap());
    let (mut most_kb, mut ticks) = (0, HashMap::new());
    while !read.is_finished() {
        most_kb = most_kb.max(look(child.id(), &mut ticks));
        std::thread::sleep(LOOK_EVERY);
    }
    let done = child.wait().unwrap();
    assert!(done.success(), "{command:?} failed");
    Cost {
        output: read.join().unwrap(),
        // The kernel counts in hundredths of a second.
        cpu_s: ticks.values().sum::<u64>() as f64 / 100.0,
        memory_mb: most_kb as f64 * 1024.0 / 1e6,
    }
}

/// What a process and those that it started have resident now, and how many ticks each of them has computed.
pub(crate) fn look(process: u32, ticks: &mut HashMap<u32, u64>) -> u64 {
    let folder = format!("/proc/{process}");
    let stat = fs::read_to_string(format!("{folder}/stat")).unwrap_or_default();
    // User and system time of proc(5), after the name.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let own = fields.split_whitespace().skip(11).take(2);
    let own: u64 = own.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    let known = ticks.entry(process).or_default();
    *known = own.max(*known);
    // What several of them share is counted once, where the system lets one see that.
    let memory = |file: &str, name: &str| {
        let lines = fs::read_to_string(format!("{folder}/{file}")).unwrap_or_default();
        let line = lines.lines().find_map(|line| line.strip_prefix(name));
        line.map(str::to_owned)
    };
    let resident = memory("smaps_rollup", "Pss:").or_else(|| memory("status", "VmRSS:"));
    let digits = resident
        .as_deref()
        .and_then(|kb| kb.split_whitespace().next());
    let resident: u64 = digits.and_then(|kb| kb.parse().ok()).unwrap_or_default();
    let tasks = fs::read_dir(format!("{folder}/task")).into_iter().flatten();
    let children = tasks.flatten().flat_map(|task| {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let children = children.split_whitespace().map(str::to_owned);
        children.collect::<Vec<_>>()
    });
    let children: Vec<u32> = children.filter_map(|child| child.parse().ok()).collect();
    let theirs = children.into_iter().map(|child| look(child, ticks));
    resident + theirs.sum::<u64>()
}

fn words_of_ours(output: &str) -> Vec<Word> {
    let heard: Json = serde_json::from_str(output).unwrap();
    let passages = heard["passages"].as_array().unwrap().iter();
    let words = passages.flat_map(|passage| passage["words"].as_array().unwrap());
    words
        .map(|word| {
            let start_s = word["start_ms"].as_f64().unwrap() / 1000.0;
            (word["text"].as_str().unwrap().to_owned(), start_s)
        })
        .collect()
}

fn words_of_peer(line: &str) -> Vec<Word> {
    serde_json::from_str(line).unwrap()
}

fn plain_words(heard: &[Word]) -> Vec<String> {
    let text: String = heard.iter().map(|(word, _)| word.as_str()).collect();
    plain(&text)
}

/// Words in small letters without marks, and numbers as they are said.
pub(crate) fn plain(text: &str) -> Vec<String> {
    let letters = text.to_lowercase().replace(
        |letter: char| !letter.is_alphanumeric() && letter != '\'',
        " ",
    );
    let words = letters.split_whitespace();
    let said = |word: &str| match SAID.iter().find(|(written, _)| *written == word) {
        Some((_, said)) => (*said).to_owned(),
        None => word.to_owned(),
    };
    words.map(said).collect()
}

const SAID: [(&str, &str); 6] = [
    ("4", "four"),
    ("5", "five"),
    ("7", "seven"),
    ("8", "eight"),
    ("10", "ten"),
    ("mr", "mister"),
];

/// How many words have to be changed, added and left out until one text is the other.
pub(crate) fn changes(truth: &[String], heard: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (at, word) in truth.iter().enumerate() {
        let mut before = std::mem::replace(&mut row[0], at + 1);
        for (n, other) in heard.iter().enumerate() {
            let same = before + usize::from(word != other);
            before = row[n + 1];
            row[n + 1] = same.min(before + 1).min(row[n] + 1);
        }
    }
    row[heard.len()]
}

/// How many milliseconds words begin beside the truth, where as many were heard as were said.
fn distances(clip: &Clip, heard: &[Word]) -> Vec<f64> {
    let is_known = clip.starts.len() == heard.len();
    let both = clip.starts.iter().zip(heard).filter(|_| is_known);
    both.map(|(truth, (_, start))| (truth - start).abs() * 1000.0)
        .collect()
}

/// These recordings one after the other, again and again, for so many seconds.
fn join(files: &[&Path], seconds: u64, target: &Path) {
    let once = target.with_extension("once.wav");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-y"]);
    for file in files {
        ffmpeg.arg("-i").arg(file);
    }
    let each: String = (0..files.len())
        .map(|at| format!("[{at}:a:0]aresample=16000,aformat=channel_layouts=mono[a{at}];"))
        .collect();
    let names: String = (0..files.len()).map(|at| format!("[a{at}]")).collect();
    let filter = format!("{each}{names}concat=n={}:v=0:a=1", files.len());
    let made = ffmpeg
        .args(["-filter_complex", &filter])
        .arg(&once)
        .status();
    assert!(made.unwrap().success());
    let again = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-stream_loop", "-1", "-i"])
        .arg(&once)
        .args(["-t", &seconds.to_string(), "-c", "copy"])
        .arg(target)
        .status();
    assert!(again.unwrap().success());
}
