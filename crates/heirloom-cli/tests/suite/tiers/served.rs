//! A server that is killed while it moves blobs in the background.

use super::*;

/// Kills of the server; what chance begins with.
const SERVERS: usize = 12;
const SEED: u64 = 0x5E7E;

#[test]
fn a_server_that_is_killed_while_it_moves_blobs_loses_nothing() {
    let subject = Tiered::filled();
    // One that goes to the bucket in several parts.
    let film = subject.home.folder.path().join("handed over/large.jpg");
    let options = Options {
        padding_bytes: 20_000_000,
        ..Options::varied(99)
    };
    fs::write(&film, jpeg::tiny(99, &options)).unwrap();
    subject.home.done(["add", path(&film), "--no-process"]);
    let originals = subject.originals();
    let all = subject.counts()[0].1;
    let mut dice = Dice(SEED);
    let mut killed_within = 0;
    for round in 0..SERVERS {
        let store = match round % 2 {
            0 => format!("s3://{BUCKET}/photos"),
            _ => "folder".to_owned(),
        };
        // As fast as it can, from the moment at which it serves.
        let config = format!("store = \"{store}\"\nstore_move_rate = \"900 MB\"\n");
        subject.configure(&config);
        let (server, address) = subject.serve();
        let begun = http::get(address, "/api/v1/store", &[]);
        std::thread::sleep(dice.below(Duration::from_millis(400)));
        assert_eq!(begun.status, 200, "{}", begun.head);
        assert_eq!(server.kill().code, None);
        // Both sides are sound, and have everything between them.
        subject.check();
        let there: u64 = subject.counts().iter().map(|place| place.1).sum();
        assert!(
            there >= all,
            "seed {SEED:#x}, round {round}: {there} of {all}"
        );
        let is_between = subject.counts().len() > 1;
        killed_within += usize::from(is_between);
    }
    assert!(killed_within > 0, "no kill came while something was moved");
    // Whoever serves next finishes, and every original is what it was.
    let (server, address) = subject.serve();
    let started = Instant::now();
    loop {
        let status = subject.home.json(["store", "status"]);
        let moves = &status["store"]["moves"][0];
        if moves["state"] == "done" && moves["waiting"] == 0 {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{status}");
    }
    for (id, bytes) in &originals {
        let original = http::get(address, &format!("/api/v1/assets/{id}/original"), &[]);
        assert!(original.body == *bytes, "{id}: {}", original.head);
    }
    assert_eq!(server.stop().code, Some(0));
    assert_eq!(subject.counts(), named(&[("folder", all)]));
    subject.check();
}
