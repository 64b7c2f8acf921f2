//! Whatever the program does, it opens originals for reading only and changes nothing about them.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use heirloom_testing::{
    TreeSnapshot, http, jpeg, media,
    process::{Finished, Heirloom, Running, free_address},
    tree::copy_tree,
};

use crate::harness::{path, program, read_trace, strace};

/// The calls that, besides opening, may concern something below an archive's root. Whatever is not
/// among them is a fault, known to strace or not: nobody has to know all that change something.
const READING: [&str; 13] = [
    "close",
    // What is open for reading stays so under another number.
    "dup2",
    "dup3",
    "read",
    "pread64",
    "lseek",
    "getdents64",
    "fstat",
    "fstatfs",
    "newfstatat",
    "statx",
    "readlink",
    "fadvise64",
];

/// What opens for more than reading.
const WRITING: [&str; 6] = [
    "O_WRONLY",
    "O_RDWR",
    "O_CREAT",
    "O_TRUNC",
    "O_APPEND",
    "O_TMPFILE",
];

#[test]
fn the_only_files_ever_opened_below_the_root_are_opened_for_reading() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path().canonicalize().unwrap();
    let root = place.join("library");
    copy_tree(media::sample_library(), &root);
    fs::create_dir(root.join("more")).unwrap();
    for (name, seed) in [
        ("M\u{fc}ller.jpg", 1),
        ("deleted.jpg", 2),
        ("purged.jpg", 3),
    ] {
        let options = jpeg::Options {
            padding_bytes: 300_000,
            ..jpeg::Options::varied(seed)
        };
        fs::write(root.join("more").join(name), jpeg::tiny(seed, &options)).unwrap();
    }
    symlink("more", root.join("link")).unwrap();
    let before = TreeSnapshot::of(&root);
    let mut traced = Traced::new(&place, &root);

    let scanned = traced.run(&["scan", "--no-process", path(&root)]);
    assert!(scanned.stdout.contains("  new"), "{}", scanned.stdout);
    for again in [
        &["scan", "--no-process", path(&root)][..],
        &["scan", "--no-process", path(&root), "--verify"],
    ] {
        traced.run(again);
    }
    let deleted = traced.asset("deleted.jpg");
    traced.run(&["asset", "delete", &deleted]);
    traced.run(&["asset", "purge", &deleted]);
    traced.run(&["fsck", "--originals", "--repair"]);

    let address = free_address();
    let mut server = traced.start(&["serve", "--listen", &address.to_string()]);
    server.wait_until_ready(address);
    // These act through the server: what is opened, it opens.
    for served in [
        &["scan", "--no-process", path(&root)][..],
        &["scan", "--no-process", path(&root), "--verify"],
    ] {
        traced.run(served);
    }
    let bytes = fs::read(root.join("more/M\u{fc}ller.jpg")).unwrap();
    let original = format!(
        "/api/v1/assets/{}/original",
        traced.asset("M\u{fc}ller.jpg")
    );
    assert_eq!(http::get(address, &original, &[]).body, bytes);
    let part = http::get(address, &original, &[("range", "bytes=200000-299999")]);
    assert_eq!(
        (part.status, part.body.as_slice()),
        (206, &bytes[200_000..300_000])
    );
    let purged = traced.asset("purged.jpg");
    traced.run(&["asset", "delete", &purged]);
    traced.run(&["asset", "purge", &purged]);
    traced.run(&["fsck", "--originals", "--repair"]);
    let _ = server.stop().expect_code(0);

    traced.assert_reading(700);
    before.assert_same(&TreeSnapshot::of(&root));
}

/// Something of each kind that is prepared, by its place in the sample library.
const PREPARED: [&str; 9] = [
    "1944 letters/1944-03-12 Anna to Karl.tif",
    "2002 Summer in Europe/Haymaking.jpg",
    "2013 Heather.webp",
    "2016/IMG_4711.DNG",
    "Films/Phone clip.3gp",
    "Papers/Typesetting notes.pdf",
    "Pets/Minka.avif",
    "Pets/Mops.heic",
    "Voices/Abuela Carmen.ogg",
];

#[test]
fn what_prepares_originals_and_all_that_it_starts_only_read_them() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path().canonicalize().unwrap();
    let root = place.join("library");
    fs::create_dir(&root).unwrap();
    let sample = media::sample().into_iter();
    let sample = sample.filter(|file| PREPARED.contains(&&*file.name));
    // Broken films and pictures make programs do what they do not do otherwise.
    let broken = media::malformed().into_iter();
    let broken = broken.filter(|file| file.name.starts_with("cut_") || file.name == "polyglot.jpg");
    for file in sample.chain(broken) {
        let name = file.name.rsplit('/').next().unwrap();
        fs::copy(&file.path, root.join(name)).unwrap();
    }
    assert!(fs::read_dir(&root).unwrap().count() > PREPARED.len());
    let before = TreeSnapshot::of(&root);
    let mut traced = Traced::new(&place, &root);
    let _ = traced
        .heirloom
        .run(["scan", "--no-process", path(&root)])
        .expect_code(0);
    let prepared = traced.start(&["run", "start", "prepare", "--json"]);
    let prepared = prepared.wait_patiently(10).expect_code(1).json();
    assert_eq!(prepared["state"], "done", "{prepared}");
    let done = |step: usize| prepared["steps"][step]["done"].as_u64().unwrap();
    assert!(done(0) > 4 && done(1) > 0 && done(3) > 1, "{prepared}");

    // Hands and FFmpeg were there, and all of them are gone.
    let trace = read_trace(&traced.traces[0]);
    assert!(
        trace.matches(" execve(").count() > 10,
        "children were followed"
    );
    assert!(trace.contains("recvmsg("), "hands were given originals");
    traced.assert_reading(30);
    before.assert_same(&TreeSnapshot::of(&root));
}

/// Whether a line of a trace tells of nothing more than reading below the root.
fn is_reading(line: &str, root: &str) -> bool {
    // The number of the thread stands before the call.
    let call = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let name = call.split('(').next().unwrap_or_default();
    // Neither a call that strace cannot read nor a ring of calls can be judged.
    if name.starts_with("syscall_") || name.starts_with("io_uring") {
        return false;
    }
    // A call that another thread interrupted: how it began stands in a line above.
    let is_elsewhere = !call.contains(root) || call.starts_with("<... ");
    let is_harmless = match name {
        "open" | "openat" | "openat2" => {
            call.contains("O_RDONLY") && !WRITING.iter().any(|flag| call.contains(flag))
        }
        // What it asks, it may; what it sets, it may not, but for who inherits it.
        "fcntl" => ["F_GET", "F_DUPFD", "F_SETFD"]
            .iter()
            .any(|what| call.contains(what)),
        // What a child may do with it from then on, and nothing else.
        "landlock_add_rule" => call.contains("{allowed_access=LANDLOCK_ACCESS_FS_READ_FILE, "),
        name => READING.contains(&name),
    };
    is_elsewhere || is_harmless
}

#[test]
fn what_a_trace_tells_is_judged() {
    for (call, expected) in [
        (
            r#"openat(9</a/b>, "c", O_RDONLY|O_NOFOLLOW|O_NOATIME) = 10</a/b/c>"#,
            true,
        ),
        (
            r#"openat(9</a>, "b", O_RDONLY|O_PATH <unfinished ...>"#,
            true,
        ),
        ("<... openat resumed>) = 10</a/b/c>", true),
        (r#"read(10</a/b/c>, ""..., 65536) = 300"#, true),
        (
            r#"openat(AT_FDCWD</x>, "/x/log", O_WRONLY|O_CREAT, 0644) = 3</x/log>"#,
            true,
        ),
        ("dup2(24</a/b/c>, 0</dev/null> <unfinished ...>", true),
        ("fcntl(3</a/b/c>, F_SETFD, FD_CLOEXEC) = 0", true),
        ("fcntl(3</a/b/c>, F_SETFL, O_APPEND) = 0", false),
        (
            "landlock_add_rule(3<x>, LANDLOCK_RULE_PATH_BENEATH, {allowed_access=LANDLOCK_ACCESS_FS_READ_FILE, parent_fd=0</a/b/c>}, 0) = 0",
            true,
        ),
        (
            "landlock_add_rule(3<x>, LANDLOCK_RULE_PATH_BENEATH, {allowed_access=LANDLOCK_ACCESS_FS_READ_FILE|LANDLOCK_ACCESS_FS_TRUNCATE, parent_fd=0</a/b/c>}, 0) = 0",
            false,
        ),
        (r#"openat(9</a/b>, "c", O_RDWR) = 10</a/b/c>"#, false),
        (
            r#"open("/a/b/c", O_RDONLY|O_CREAT, 0644) = 10</a/b/c>"#,
            false,
        ),
        (
            r#"openat(9</a/b>, ".", O_WRONLY|O_TMPFILE, 0600) = -1 EACCES"#,
            false,
        ),
        (
            r#"openat(9</a/b>, "c", O_RDONLY|O_TRUNC) = -1 EACCES"#,
            false,
        ),
        (r#"write(10</a/b/c>, ""..., 4) = 4"#, false),
        (
            "ioctl(10</a/b/c>, FS_IOC_SETFLAGS, [FS_NODUMP_FL]) = 0",
            false,
        ),
        ("fcntl(10</a/b/c>, F_SETLEASE, F_RDLCK) = 0", false),
        (r#"lsetxattr("/a/b/c", "user.x", ""..., 1, 0) = 0"#, false),
        (r#"fremovexattr(10</a/b/c>, "user.x") = 0"#, false),
        (r#"utime("/a/b/c", NULL) = 0"#, false),
        (r#"futimesat(9</a/b>, "c", NULL) = 0"#, false),
        (
            "mmap(NULL, 9, PROT_WRITE, MAP_SHARED, 10</a/b/c>, 0) = 0x7f",
            false,
        ),
        ("sendfile(10</a/b/c>, 11</x>, NULL, 9) = 9", false),
        ("syscall_0x1c4(0x9, 0x7f, 0x1a4, 0, 0, 0) = 0", false),
        ("io_uring_setup(32, 0x7f) = 12", false),
    ] {
        assert_eq!(
            is_reading(&format!("4711  {call}"), "/a/b"),
            expected,
            "{call}"
        );
    }
}

/// The program with every one of its system calls written down.
struct Traced {
    heirloom: Heirloom,
    place: PathBuf,
    root: PathBuf,
    traces: Vec<PathBuf>,
}

impl Traced {
    fn new(place: &Path, root: &Path) -> Self {
        Self {
            heirloom: program().data(place.join("data")),
            place: place.to_owned(),
            root: root.to_owned(),
            traces: Vec::new(),
        }
    }

    fn run(&mut self, arguments: &[&str]) -> Finished {
        self.start(arguments).wait().expect_code(0)
    }

    fn start(&mut self, arguments: &[&str]) -> Running {
        let trace = self.place.join(format!("trace-{}", self.traces.len()));
        let heirloom = self.heirloom.clone().behind(strace("all", &trace));
        self.traces.push(trace);
        heirloom.start(arguments)
    }

    /// The id of the asset whose file is called so.
    fn asset(&self, name: &str) -> String {
        let list = self
            .heirloom
            .run(["asset", "list", "--limit", "500", "--json"]);
        let list = list.expect_code(0).json();
        let mut items = list["items"].as_array().unwrap().iter();
        let found = items.find(|item| item["name"] == name);
        found.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// That nothing below the root was opened but for reading, at least so often, and nothing else done
    /// to it.
    fn assert_reading(&self, least: usize) {
        let root = path(&self.root);
        let mut opened = 0;
        let mut wrong = Vec::new();
        for trace in &self.traces {
            for line in read_trace(trace).lines() {
                if !is_reading(line, root) {
                    wrong.push(format!("{}: {line}", trace.display()));
                }
                opened += usize::from(line.contains(root) && line.contains("O_RDONLY"));
            }
        }
        wrong.truncate(40);
        assert!(wrong.is_empty(), "more than reading:\n{}", wrong.join("\n"));
        assert!(
            opened > least,
            "the traces show what was opened: {opened} times"
        );
    }
}
