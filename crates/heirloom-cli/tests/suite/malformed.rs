//! Files that are broken on purpose: what the manifest expects of each comes true when the program
//! scans and serves them with little memory.

mod prepare;

use std::{collections::BTreeMap, fs, path::Path};

use heirloom_testing::{
    TreeSnapshot,
    http::{self, Answer},
    jpeg,
    media::{Known, malformed},
    process::free_address,
};
use serde_json::Value as Json;

use crate::harness::{path, program, read_trace, strace};

/// The memory that the program may take. One bitmap of the pictures that claim to be vast is more, and
/// so is what the XML bombs would become; half of it would do.
const LIMIT: [&str; 2] = ["prlimit", "--data=268435456"];

#[test]
fn every_malformed_file_meets_what_is_expected_of_it() {
    let files = malformed();
    let place = tempfile::tempdir().unwrap();
    let place = place.path().canonicalize().unwrap();
    let scanned = Scanned::new(&place, &files);
    let mut unmet = Vec::new();
    for file in &files {
        // Each kind of expectation is a check; one that is not listed here is a test to be written.
        let check = match file.entry["expect"].as_str().unwrap() {
            "no crash, no hang; reject or store without derived data" => rejected_or_sound,
            "import fails cleanly or marks damaged" => rejected_or_damaged,
            "no expansion, no file or network read" => unexpanded,
            "bounded memory/time" | "rejected before allocation" => rejected_or_sound,
            "treated as image only" => an_image_only,
            "JS never executed; text/thumbnail may be made" => inert,
            "served inert (CSP/attachment/sanitised)" => inert,
            "clean message; no crash" => told_if_encrypted,
            "no file outside target folder" => packed,
            unknown => panic!("{}: no test shows {unknown:?}", file.name),
        };
        let met = match scanned.read(&file.name) {
            Ok(read) => sound(file, read).and_then(|()| check(file, Some(read), &scanned)),
            Err(reason) if reason.is_empty() => Err("passed over for no reason".to_owned()),
            Err(_) => check(file, None, &scanned),
        };
        if let Err(complaint) = met {
            unmet.push(format!("{}: {complaint}", file.name));
        }
    }
    assert!(unmet.is_empty(), "not as expected:\n{}", unmet.join("\n"));
}

type Met = Result<(), String>;

/// What holds of every file that is catalogued, however broken: its bytes are given back as they are,
/// nothing but its metadata was derived, and nothing that is no date, place or text is claimed.
fn sound(file: &Known, read: &Read) -> Met {
    ensure(read.original.status == 200, "it is not served")?;
    let bytes = fs::read(&file.path).unwrap();
    ensure(read.original.body == bytes, "other bytes are served")?;
    ensure(read.page.status == 200, "it has no page")?;
    ensure(
        read.original.header("x-content-type-options") == "nosniff",
        "its type may be guessed",
    )?;
    let policy = read.original.header("content-security-policy");
    ensure(
        policy.contains("default-src 'none'") && policy.contains("sandbox"),
        policy,
    )?;
    for artifact in read.detail["artifacts"].as_array().unwrap() {
        ensure(artifact["kind"] == "metadata", artifact)?;
    }
    for problem in read.problems() {
        let is_sentence = problem.contains(' ') && problem.ends_with('.');
        ensure(is_sentence && !problem.contains("failed on it"), problem)?;
    }
    for measure in ["width", "height"] {
        let value = &read.detail[measure];
        ensure(value.is_null() || value.as_i64() > Some(0), value)?;
    }
    for claim in read.detail["claims"].as_array().unwrap() {
        ensure(is_plausible(claim), claim)?;
    }
    Ok(())
}

fn is_plausible(claim: &Json) -> bool {
    let value = &claim["value"];
    let within = |value: &Json, most: f64| value.as_f64().is_some_and(|found| found.abs() <= most);
    match claim["kind"].as_str().unwrap() {
        "date" => {
            let year = value.as_str().and_then(|date| date.get(..4)?.parse().ok());
            year.is_some_and(|year: u16| (1826..2100).contains(&year))
        }
        "position" => within(&value["latitude"], 90.0) && within(&value["longitude"], 180.0),
        "rating" => within(value, 5.0),
        "orientation" => (1..=8).contains(&value.as_i64().unwrap_or(0)),
        _ => value.as_str().is_some_and(|text| {
            let is_layout = |c: char| matches!(c, '\n' | '\t');
            !text.trim().is_empty() && !text.chars().any(|c| c.is_control() && !is_layout(c))
        }),
    }
}

fn rejected_or_sound(_: &Known, _: Option<&Read>, _: &Scanned) -> Met {
    Ok(())
}

fn rejected_or_damaged(_: &Known, read: Option<&Read>, _: &Scanned) -> Met {
    let is_told = read.is_none_or(|read| !read.problems().is_empty());
    ensure(is_told, "nothing says that it is damaged")
}

/// As itself and as the sidecar of a photograph.
fn unexpanded(file: &Known, read: Option<&Read>, scanned: &Scanned) -> Met {
    let beside = scanned.read(&photograph_of(&file.name))?;
    ensure(
        beside.detail["sidecars"][0]["kind"] == "xmp",
        "it is nobody's sidecar",
    )?;
    for detail in read.into_iter().chain([beside]).map(|read| &read.detail) {
        let length = detail.to_string().len();
        ensure(length < 8 * 1024, format!("{length} bytes are known of it"))?;
        for artifact in detail["artifacts"].as_array().unwrap() {
            ensure(artifact["blob_hash"].is_null(), artifact)?;
        }
    }
    let text = fs::read_to_string(&file.path).unwrap();
    for quoted in text.split(['"', '\'']).skip(1).step_by(2) {
        let name = quoted.strip_prefix("file://").unwrap_or(quoted);
        let is_read = name.starts_with('/') && scanned.trace.contains(name);
        ensure(!is_read, format!("{name} was read"))?;
    }
    Ok(())
}

fn an_image_only(file: &Known, read: Option<&Read>, _: &Scanned) -> Met {
    let read = read.ok_or("it is passed over")?;
    ensure(read.detail["kind"] == "image", &read.detail["kind"])?;
    ensure(
        read.original.header("content-type") == "image/jpeg",
        &read.original.head,
    )?;
    ensure(
        fs::read(&file.path)
            .unwrap()
            .windows(4)
            .any(|part| part == b"PK\x03\x04"),
        "no archive is in it",
    )?;
    ensure(
        !read.detail.to_string().contains("inside"),
        "what is packed in it is known",
    )
}

fn inert(_: &Known, read: Option<&Read>, _: &Scanned) -> Met {
    let read = read.ok_or("it is passed over")?;
    let disposition = read.original.header("content-disposition");
    ensure(disposition.starts_with("attachment;"), disposition)?;
    let known = format!("{}{}", read.detail["claims"], read.detail["artifacts"]).to_lowercase();
    ensure(
        !known.contains("script") && !known.contains("onload"),
        known,
    )
}

fn told_if_encrypted(file: &Known, read: Option<&Read>, _: &Scanned) -> Met {
    let read = read.ok_or("it is passed over")?;
    let bytes = fs::read(&file.path).unwrap();
    let is_encrypted = bytes.windows(9).any(|part| part == b"/Encrypt ");
    let told = "The PDF is encrypted; its texts are not read.".to_owned();
    let expected = if is_encrypted { vec![told] } else { Vec::new() };
    ensure(
        read.problems() == expected,
        format!("{:?}", read.problems()),
    )
}

fn packed(_: &Known, read: Option<&Read>, _: &Scanned) -> Met {
    // That nothing was written beside the data folder is looked at when all are scanned.
    let read = read.ok_or("it is passed over")?;
    ensure(
        read.detail["media_type"] == "application/zip",
        &read.detail["media_type"],
    )
}

fn ensure(is_so: bool, complaint: impl ToString) -> Met {
    is_so.then_some(()).ok_or_else(|| complaint.to_string())
}

/// The name of the photograph that a file is offered to as a sidecar.
fn photograph_of(name: &str) -> String {
    format!("with {name}.jpg")
}

/// All the files after they were scanned by a process that was watched.
struct Scanned {
    /// What became of each path.
    outcomes: BTreeMap<String, Json>,
    /// What is known of each path that is catalogued.
    known: BTreeMap<String, Read>,
    /// The files that the process opened and the addresses that it asked for.
    trace: String,
}

/// What is known of a file, and how it is served.
struct Read {
    detail: Json,
    original: Answer,
    page: Answer,
}

impl Read {
    fn problems(&self) -> Vec<String> {
        let artifacts = self.detail["artifacts"].as_array().unwrap().iter();
        let lists = artifacts.filter_map(|artifact| artifact["payload"]["problems"].as_array());
        lists
            .flatten()
            .map(|problem| problem.as_str().unwrap().to_owned())
            .collect()
    }
}

impl Scanned {
    fn new(place: &Path, files: &[Known]) -> Self {
        let (root, data) = (place.join("library"), place.join("data"));
        fs::create_dir(&root).unwrap();
        for (seed, file) in (0..).zip(files) {
            fs::copy(&file.path, root.join(&file.name)).unwrap();
            let photograph = photograph_of(&file.name);
            let options = jpeg::Options::default();
            fs::write(root.join(&photograph), jpeg::tiny(seed, &options)).unwrap();
            fs::copy(&file.path, root.join(photograph + ".xmp")).unwrap();
        }
        let before = TreeSnapshot::of(&root);

        let (trace, reports) = (place.join("trace"), place.join("reports"));
        let report = reports.join("report");
        fs::create_dir(&data).unwrap();
        fs::create_dir(&reports).unwrap();
        let strace = strace("%file,%network", &trace);
        let limit = LIMIT.map(str::to_owned);
        let heirloom = program()
            .data(&data)
            .behind(strace.into_iter().chain(limit));
        let scan = heirloom.run([
            "scan",
            path(&root),
            "--no-process",
            "--report",
            path(&report),
            "--json",
        ]);
        let scan = scan.expect_code(0).json();
        assert_eq!(scan["report"]["failed"], serde_json::json!({}), "{scan}");
        let trace = read_trace(&trace);
        for line in trace.lines() {
            assert!(!line.contains("AF_INET"), "the network: {line}");
            let call = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
            let is_making = ["mkdir", "rename", "link", "symlink", "mknod"];
            let is_writing = is_making.iter().any(|name| call.starts_with(name))
                || ["O_WRONLY", "O_RDWR", "O_CREAT"]
                    .iter()
                    .any(|flag| call.contains(flag));
            let allowed = [path(&data), path(&reports), "\"/dev/"];
            let is_allowed = allowed.iter().any(|place| line.contains(place));
            assert!(!is_writing || is_allowed, "beside the data folder: {line}");
        }
        before.assert_same(&TreeSnapshot::of(&root));
        let outcomes = fs::read_to_string(&report).unwrap();
        let outcomes = outcomes.lines().map(|line| {
            let line: Json = serde_json::from_str(line).unwrap();
            (line["path"].as_str().unwrap().to_owned(), line)
        });
        Self {
            outcomes: outcomes.collect(),
            known: serve(&data),
            trace,
        }
    }

    /// What is known of a file, or why it was passed over.
    fn read(&self, name: &str) -> Result<&Read, String> {
        let outcome = &self.outcomes[name];
        self.known.get(name).ok_or_else(|| {
            assert_eq!(outcome["outcome"], "skipped", "{name}: {outcome}");
            outcome["reason"].as_str().unwrap_or_default().to_owned()
        })
    }
}

/// Asks a server for everything, by path.
fn serve(data: &Path) -> BTreeMap<String, Read> {
    let address = free_address();
    let heirloom = program().data(data).behind(LIMIT);
    let mut server = heirloom.start(["serve", "--listen", &address.to_string()]);
    server.wait_until_ready(address);
    let json = |path: &str| -> Json {
        let answer = http::get(address, path, &[]);
        assert_eq!(answer.status, 200, "{path}: {}", answer.head);
        serde_json::from_slice(&answer.body).unwrap()
    };
    let list = json("/api/v1/assets?limit=500");
    assert!(list["next"].is_null(), "one page has them all");
    let mut known = BTreeMap::new();
    for asset in list["items"].as_array().unwrap() {
        let id = asset["id"].as_str().unwrap();
        let detail = json(&format!("/api/v1/assets/{id}"));
        for location in detail["locations"].as_array().unwrap() {
            let read = Read {
                detail: detail.clone(),
                original: http::get(address, &format!("/api/v1/assets/{id}/original"), &[]),
                page: http::get(address, &format!("/plain/assets/{id}"), &[]),
            };
            known.insert(location["path"].as_str().unwrap().to_owned(), read);
        }
    }
    let _ = server.stop().expect_code(0);
    known
}
