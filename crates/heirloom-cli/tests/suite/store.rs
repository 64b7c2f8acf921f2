//! A library whose blobs are in a bucket, with the real program and a real server of S3.

use std::{fs, net::SocketAddr};

use heirloom_testing::{
    http,
    jpeg::{self, Options},
    media::repository,
    process::{Heirloom, Running, free_address},
    s3::{BUCKET, S3Server},
};

use crate::harness::{Home, assert_refusal, path, program};

/// A library that is configured to keep its blobs in a bucket.
struct InBucket {
    home: Home,
    server: S3Server,
}

impl InBucket {
    fn new(more: &str) -> Self {
        let (home, server) = (Home::new(), S3Server::start());
        fs::create_dir(home.data()).unwrap();
        let config = format!(
            "store = \"s3://{BUCKET}/photos\"\ns3_endpoint = \"{}\"\n{more}",
            server.endpoint()
        );
        fs::write(home.data().join("config.toml"), config).unwrap();
        let heirloom = known(home.heirloom, &server);
        Self {
            home: Home {
                folder: home.folder,
                heirloom,
            },
            server,
        }
    }

    /// With two originals in the vault; gives the bytes of the first.
    fn filled(&self) -> Vec<u8> {
        let folder = self.home.folder.path().join("handed over");
        fs::create_dir_all(&folder).unwrap();
        let options = Options {
            padding_bytes: 1_000_000,
            ..Options::varied(7)
        };
        let bytes = jpeg::tiny(7, &options);
        let (first, second) = (folder.join("Oma.jpg"), folder.join("Opa.jpg"));
        fs::write(&first, &bytes).unwrap();
        fs::write(&second, jpeg::tiny(8, &Options::varied(8))).unwrap();
        self.home.done(["add", path(&first), path(&second)]);
        bytes
    }

    fn serve(&self) -> (Running, SocketAddr) {
        let address = free_address();
        let listen = address.to_string();
        let mut server = self.home.heirloom.start(["serve", "--listen", &listen]);
        server.wait_until_ready(address);
        (server, address)
    }
}

fn known(heirloom: Heirloom, server: &S3Server) -> Heirloom {
    let environment = server.environment();
    environment
        .iter()
        .fold(heirloom, |heirloom, (name, value)| {
            heirloom.env(name, value)
        })
}

#[test]
fn everything_works_on_a_bucket_as_on_a_folder() {
    let subject = InBucket::new("store_cache = \"5 MB\"\n");
    let home = &subject.home;
    let root = home.pictures();
    let inks = repository().join("testdata/pictures/inks.jpg");
    fs::copy(inks, root.join("Inks.jpg")).unwrap();
    home.done(["scan", path(&root)]);
    let doctor = home.heirloom.run(["doctor", "--json"]).json();
    let checks = doctor["checks"].as_array().unwrap();
    let blobs = checks
        .iter()
        .find(|check| check["name"] == "blobs")
        .unwrap();
    assert_eq!(blobs["is_well"], true, "{blobs}");
    let bytes = subject.filled();
    assert!(!home.data().join("blobs").exists());

    let report = home.json(["fsck", "--originals"]);
    assert_eq!(report["faults"], 0, "{report}");
    assert!(report["blobs"].as_u64().unwrap() > 4, "{report}");
    // The copies are not needed.
    fs::remove_dir_all(home.data().join("cache")).unwrap();
    let oma = home.asset("Oma.jpg");
    let inks = home.asset("Inks.jpg");
    let (server, address) = subject.serve();
    let original = format!("/api/v1/assets/{oma}/original");
    let whole = http::get(address, &original, &[]);
    assert_eq!(whole.status, 200);
    assert!(whole.body == bytes);
    let part = http::get(address, &original, &[("range", "bytes=500000-500099")]);
    assert_eq!(
        (part.status, &part.body[..]),
        (206, &bytes[500_000..500_100])
    );
    let rendition = format!("/api/v1/assets/{inks}/renditions/grid");
    let rendition = http::get(address, &rendition, &[]);
    assert_eq!(rendition.status, 200, "{}", rendition.head);
    assert_eq!(server.stop().code, Some(0));

    let backup = home.folder.path().join("backup disk");
    let backed_up = home.json(["backup", "to", path(&backup)]);
    assert_eq!(backed_up["outcome"]["lacking"], 0, "{backed_up}");
    let restored = home.folder.path().join("restored");
    let key = home.data().join("backup.key");
    let arguments = [
        "restore",
        path(&backup),
        path(&restored),
        "--key-file",
        path(&key),
    ];
    assert_eq!(program().run(arguments).code, Some(0));
    let report = program()
        .data(&restored)
        .run(["fsck", "--originals", "--json"]);
    assert_eq!(report.expect_code(0).json()["faults"], 0);
}

#[test]
fn a_library_is_opened_with_its_own_store_and_no_other() {
    let mut subject = InBucket::new("");
    subject.filled();
    let home = &subject.home;
    let config = home.data().join("config.toml");
    let own = fs::read_to_string(&config).unwrap();

    let list = ["asset", "list"];
    fs::write(&config, "").unwrap();
    let said = assert_refusal(&home.heirloom.run(list).expect_code(2));
    assert!(said.contains("are in s3://family/photos"), "{said}");
    // Another that is named is where they are to go; until then they are where they were.
    fs::write(&config, own.replace("/photos", "/empty")).unwrap();
    let status = home.json(["store", "status"]);
    let places = status["store"]["places"].as_array().unwrap();
    assert_eq!(places.len(), 2, "{status}");
    assert_eq!(places[1]["location"], "s3://family/photos");
    assert_eq!(places[1]["is_leaving"], true);
    fs::write(&config, &own).unwrap();
    home.done(list);

    // Another library in the same place, and one that has its blobs in its folder.
    let other = Home::new();
    fs::create_dir(other.data()).unwrap();
    fs::write(other.data().join("config.toml"), &own).unwrap();
    let heirloom = known(program().data(other.data()), &subject.server);
    let said = assert_refusal(&heirloom.run(["add", path(&config)]).expect_code(2));
    assert!(said.contains("another library has it"), "{said}");
    let folder = Home::scanned();
    fs::write(folder.data().join("config.toml"), &own).unwrap();
    let heirloom = known(program().data(folder.data()), &subject.server);
    let said = assert_refusal(&heirloom.run(list).expect_code(2));
    assert!(said.contains("another library has it"), "{said}");
    fs::write(folder.data().join("config.toml"), "").unwrap();
    folder.done(list);

    // A backup where the blobs are would be lost with them.
    let said = home
        .heirloom
        .run(["backup", "to", "s3://family/photos/backups"]);
    let said = said.expect_code(2).stderr;
    assert!(said.contains("lost with it"), "{said}");

    let without = program().data(home.data()).run(list).expect_code(2);
    let said = assert_refusal(&without);
    assert!(said.contains("no keys"), "{said}");
    // Where the server is away, there is what needs no blobs.
    subject.server.stop();
    let _ = subject.home.heirloom.run(list).expect_code(0);
    let doctor = subject.home.heirloom.run(["doctor"]).stdout;
    assert!(doctor.contains("cannot be reached"), "{doctor}");
}

#[test]
fn keys_come_from_the_environment_or_from_files_and_are_never_shown() {
    let home = Home::new();
    let (id, secret) = (
        home.folder.path().join("id"),
        home.folder.path().join("secret"),
    );
    fs::write(&id, "AKIAOFAFILE\n").unwrap();
    fs::write(&secret, "the secret of a file\n").unwrap();
    let show = ["config", "show", "--json"];
    let heirloom = || program().data(home.data());
    let cases = [
        (
            heirloom()
                .env("AWS_ACCESS_KEY_ID", "AKIAOFTHEENVIRONMENT")
                .env("AWS_SECRET_ACCESS_KEY", "the secret of the environment"),
            "environment AWS_ACCESS_KEY_ID",
        ),
        (
            heirloom()
                .env("HEIRLOOM_S3_ACCESS_KEY_ID_FILE", path(&id))
                .env("HEIRLOOM_S3_SECRET_ACCESS_KEY_FILE", path(&secret)),
            "environment HEIRLOOM_S3_ACCESS_KEY_ID_FILE",
        ),
    ];
    for (heirloom, from) in cases {
        let shown = heirloom.run(show).expect_code(0);
        for hidden in ["the secret of", "AKIAOF"] {
            assert!(!shown.stdout.contains(hidden), "{}", shown.stdout);
        }
        let shown = shown.json();
        let mut items = shown["items"].as_array().unwrap().iter();
        let keys = items.find(|item| item["name"] == "s3_keys").unwrap();
        assert_eq!(
            (&keys["value"], &keys["from"]),
            (&"***".into(), &from.into())
        );
    }
    let half = heirloom().env("AWS_ACCESS_KEY_ID", "AKIAX");
    let half = half.run(["config", "show"]);
    let said = assert_refusal(&half.expect_code(2));
    assert!(said.contains("AWS_SECRET_ACCESS_KEY is not"), "{said}");
    let gone = heirloom()
        .env("HEIRLOOM_S3_ACCESS_KEY_ID_FILE", "/nowhere")
        .run(["config", "show"]);
    assert_eq!(gone.code, Some(2), "{gone:?}");
    for (name, value) in [
        ("HEIRLOOM_STORE", "/a/folder"),
        ("HEIRLOOM_STORE", "sftp://nas/photos"),
        ("HEIRLOOM_S3_ENDPOINT", "s3.example.org"),
        ("HEIRLOOM_S3_ENDPOINT", "https://me:secret@s3.example.org"),
        ("HEIRLOOM_S3_PATH_STYLE", "perhaps"),
    ] {
        let refused = heirloom().env(name, value).run(["config", "show"]);
        assert_eq!(refused.code, Some(2), "{name}={value}");
        assert!(refused.stderr.contains(name), "{}", refused.stderr);
        assert!(!refused.stderr.contains("secret"), "{}", refused.stderr);
    }
}

#[test]
fn browsers_are_sent_to_the_bucket_when_that_is_configured() {
    let subject = InBucket::new("store_redirect = true\n");
    let bytes = subject.filled();
    let oma = subject.home.asset("Oma.jpg");
    let (server, address) = subject.serve();
    let path = format!("/api/v1/assets/{oma}/original");
    let sent = http::get(address, &path, &[]);
    assert_eq!(sent.status, 307, "{}", sent.head);
    assert_eq!(sent.header("cache-control"), "private, no-store");
    let origin = subject.server.endpoint();
    let location = sent.header("location").strip_prefix(&origin).unwrap();
    assert!(location.contains("X-Amz-Expires=300"), "{location}");
    let there = http::get(subject.server.address, location, &[]);
    assert_eq!(there.status, 200, "{}", there.head);
    assert!(there.body == bytes);
    assert_eq!(there.header("content-type"), "image/jpeg");
    assert_eq!(
        there.header("content-disposition"),
        "inline; filename*=UTF-8''Oma.jpg"
    );

    // Whoever has the bytes is not sent, nor is a script; and nobody is sent to what is not there.
    let tag = format!("\"{}\"", blake3::hash(&bytes).to_hex());
    let had = http::get(address, &path, &[("if-none-match", &tag)]);
    assert_eq!(had.status, 304);
    let fetched = http::get(address, &path, &[("sec-fetch-dest", "empty")]);
    assert_eq!(fetched.status, 200);
    assert!(fetched.body == bytes);
    let unknown = path.replace(&oma, "018f0000-0000-7000-8000-000000000001");
    let unknown = http::get(address, &unknown, &[]);
    assert_eq!((unknown.status, unknown.header("location")), (404, ""));

    let page = http::get(address, "/plain", &[]);
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains(&format!("img-src 'self' {origin};")),
        "{policy}"
    );
    assert_eq!(server.stop().code, Some(0));
}
