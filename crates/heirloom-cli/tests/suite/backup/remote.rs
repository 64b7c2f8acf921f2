//! Backups over S3 and SFTP, with real servers and the stock program of the format.

use std::{fs, path::PathBuf, process::Command};

use heirloom_testing::{
    line::Line,
    process::Heirloom,
    s3::{BUCKET, S3Server},
    sftp::SshServer,
};

use super::dump;
use crate::harness::{Home, assert_refusal, path, program};

/// A server with a place for a repository, and how both programs find it.
struct Place {
    repository: String,
    /// What the stock program calls it.
    stock: String,
    environment: Vec<(String, String)>,
    /// It stops when this is dropped.
    _server: Box<dyn std::any::Any>,
}

impl Place {
    fn on_s3() -> Self {
        let server = S3Server::start();
        let repository = format!("s3:{}/{BUCKET}/backups/family", server.endpoint());
        Self {
            stock: repository.clone(),
            repository,
            environment: pairs(&server.environment()),
            _server: Box::new(server),
        }
    }

    fn over_sftp(home: &Home) -> Self {
        let server = SshServer::start(&home.folder.path().join("ssh"));
        let repository = server.url(&home.folder.path().join("far-away"));
        let (scheme, folder) = repository.split_at(repository.find("/tmp").unwrap_or(0));
        // An absolute path has a slash more there.
        let stock = format!("{scheme}/{folder}");
        Self {
            stock,
            repository: repository.clone(),
            environment: vec![("PATH".to_owned(), server.path())],
            _server: Box::new(server),
        }
    }

    fn known_to(&self, heirloom: Heirloom) -> Heirloom {
        self.environment
            .iter()
            .fold(heirloom, |heirloom, (name, value)| {
                heirloom.env(name, value)
            })
    }

    #[track_caller]
    fn restic(&self, key: &PathBuf, arguments: &[&str]) -> String {
        let output = Command::new("restic")
            .args(["--no-cache", "--repo", &self.stock, "--password-file"])
            .arg(key)
            .args(arguments)
            .envs(self.environment.iter().cloned())
            .output()
            .expect("restic is needed: ./dev setup installs it");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn pairs(environment: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    environment.iter().map(owned).collect()
}

#[test]
fn everything_comes_back_from_s3() {
    let home = Home::scanned();
    everything_comes_back(&home, &Place::on_s3());
}

#[test]
fn everything_comes_back_over_sftp() {
    let home = Home::scanned();
    let place = Place::over_sftp(&home);
    everything_comes_back(&home, &place);
}

fn everything_comes_back(home: &Home, place: &Place) {
    let heirloom = place.known_to(program().data(home.data()));
    let repository = place.repository.as_str();
    let done = |arguments: &[&str]| heirloom.run(arguments).expect_code(0);
    let first = done(&["backup", "to", repository, "--json"]).json();
    assert_eq!(first["outcome"]["lacking"], 0, "{first}");
    let second = done(&["backup", "to", repository, "--json"]).json();
    assert!(
        second["outcome"]["files_read"].as_u64().unwrap() <= 3,
        "{second}"
    );
    done(&["backup", "check", repository, "--read-data"]);
    let pruned = done(&["backup", "prune", repository, "--json"]).json();
    assert_eq!(pruned["state"], "done", "{pruned}");
    let proved = done(&["backup", "prove", repository, "--json"]).json();
    assert_eq!(proved["state"], "done", "{proved}");
    done(&["backup", "schedule", repository]);

    let key = home.data().join("backup.key");
    assert!(
        place
            .restic(&key, &["check", "--read-data"])
            .contains("no errors were found")
    );
    let there = home.folder.path().join("by restic");
    place.restic(&key, &["restore", "latest", "--target", path(&there)]);
    let stock = there.join("library/originals/Pictures/Oma erzählt.wav");
    let was = fs::read(home.folder.path().join("Pictures/Oma erzählt.wav")).unwrap();
    assert_eq!(fs::read(stock).unwrap(), was);

    let folder = home.folder.path().join("restored");
    let bare = place.known_to(program());
    let arguments = [
        "restore",
        repository,
        path(&folder),
        "--key-file",
        path(&key),
        "--json",
    ];
    let restored = bare.run(arguments).expect_code(0).json();
    assert_eq!(
        (&restored["lacking"], &restored["files"]),
        (&0.into(), &4.into())
    );
    let snapshots = bare.run([
        "backup",
        "list",
        repository,
        "--key-file",
        path(&key),
        "--json",
    ]);
    let snapshots = snapshots.expect_code(0).json();
    assert_eq!(
        snapshots["items"].as_array().unwrap().len(),
        2,
        "{snapshots}"
    );
    assert!(dump(&folder).len() > 10);
    let report = program()
        .data(&folder)
        .run(["fsck", "--originals", "--json"]);
    assert_eq!(report.expect_code(0).json()["faults"], 0);
}

#[test]
fn a_server_that_cannot_be_used_is_named_with_what_to_do() {
    let home = Home::scanned();
    let (s3, refusing) = (S3Server::start(), S3Server::start_refusing());
    let ssh = SshServer::start(&home.folder.path().join("ssh"));
    let far = ssh.url(&home.folder.path().join("far"));
    let keys = pairs(&s3.environment());
    let other_ssh = vec![("PATH".to_owned(), ssh.path())];
    let bucket = |server: &S3Server, name: &str| format!("s3:{}/{name}/a", server.endpoint());
    ssh.forget_keys();
    let cases = [
        (
            bucket(&s3, "no-such-bucket"),
            keys.clone(),
            "no such bucket",
        ),
        (bucket(&s3, BUCKET), Vec::new(), "no keys"),
        (
            bucket(&refusing, BUCKET),
            keys.clone(),
            "refuses these keys",
        ),
        (
            format!("s3:http://127.0.0.1:1/{BUCKET}/a"),
            keys,
            "cannot be reached",
        ),
        (far, other_ssh.clone(), "Permission denied"),
        (
            "sftp://127.0.0.1:1/a".to_owned(),
            other_ssh,
            "Connection refused",
        ),
    ];
    for (repository, environment, said) in cases {
        let heirloom = environment
            .iter()
            .fold(program().data(home.data()), |heirloom, (name, value)| {
                heirloom.env(name, value)
            });
        let key = home.folder.path().join("some.key");
        fs::write(&key, "ABCD-EFGH\n").unwrap();
        let begun = heirloom
            .run(["backup", "to", &repository, "--json"])
            .expect_code(2);
        let words = format!("{}{}", begun.stdout, begun.stderr);
        assert!(words.contains(said), "{repository}: {words}");
        let key = home.data().join("backup.key");
        let listed = heirloom.run(["backup", "list", &repository, "--key-file", path(&key)]);
        let words = assert_refusal(&listed.expect_code(2));
        assert!(words.contains(said), "{repository}: {words}");
    }
}

#[test]
fn a_line_that_goes_dead_leaves_a_sound_repository_that_the_next_goes_on_with() {
    let home = Home::new();
    let root = home.many(40);
    home.done(["scan", path(&root), "--no-process"]);
    let server = S3Server::start();
    let line = Line::to(server.address, 3_000_000);
    let repository = format!("s3:http://{}/{BUCKET}/family", line.address);
    let heirloom = pairs(&server.environment())
        .iter()
        .fold(program().data(home.data()), |heirloom, (name, value)| {
            heirloom.env(name, value)
        });
    let broken = heirloom.run(["backup", "to", &repository]).expect_code(2);
    assert!(line.is_dead());
    assert!(broken.stdout.contains("cannot be reached"), "{broken:?}");

    line.mend();
    let done = heirloom.run(["backup", "to", &repository, "--json"]);
    assert_eq!(done.expect_code(0).json()["outcome"]["lacking"], 0);
    let check = ["backup", "check", &repository, "--read-data"];
    assert_eq!(heirloom.run(check).code, Some(0));
}

#[test]
fn what_a_kill_left_half_written_is_seen_by_nobody_and_removed() {
    let home = Home::scanned();
    let place = Place::over_sftp(&home);
    let heirloom = place.known_to(program().data(home.data()));
    let repository = place.repository.as_str();
    let back_up = || heirloom.run(["backup", "to", repository]).code;
    assert_eq!(back_up(), Some(0));
    let folder = home.folder.path().join("far-away");
    let half = folder
        .join("index")
        .join(format!("{}-tmp-", "ab".repeat(32)));
    fs::write(&half, "half of it").unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    let file = fs::File::options().write(true).open(&half).unwrap();
    file.set_modified(long_ago).unwrap();
    // Somebody on this machine who is not there any more, and somebody elsewhere long ago.
    let ended = r#"{"boot":"BOOT","process":4194305,"began":1}"#;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let numbers = fs::read_link("/proc/self/ns/pid").unwrap();
    let boot = format!("{} {}", boot.trim(), numbers.display());
    let word = folder.join("in-use/alone-0123");
    fs::write(&word, ended.replace("BOOT", &boot)).unwrap();
    let old = folder.join("in-use/alone-4567");
    fs::write(&old, ended.replace("BOOT", "another machine")).unwrap();
    let file = fs::File::options().write(true).open(&old).unwrap();
    file.set_modified(long_ago).unwrap();
    let check = ["backup", "check", repository];
    assert_eq!(heirloom.run(check).code, Some(0));
    assert_eq!(back_up(), Some(0));
    assert!(!half.exists() && !word.exists() && !old.exists());

    // Somebody at work elsewhere keeps others out.
    fs::write(&word, ended.replace("BOOT", "another machine")).unwrap();
    let said = heirloom.run(["backup", "to", repository]).expect_code(2);
    assert!(said.stdout.contains("somebody else is at work"), "{said:?}");
    assert!(word.exists());
}
