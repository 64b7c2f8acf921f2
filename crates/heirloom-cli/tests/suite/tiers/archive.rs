//! Originals in an archive class: they are asked for, and come back; what looks at everything goes on without them.

use super::*;

const PLACE: &str = "glacier";

impl Tiered {
    /// Large originals lie in an archive, and no copy of them here; gives how many.
    fn archived() -> (Self, u64) {
        let subject = Self::filled();
        subject.configure_archive();
        let moved = subject.home.json(["store", "move"]);
        assert_eq!(moved["state"], "done", "{moved}");
        let _ = fs::remove_dir_all(subject.home.data().join("cache"));
        let many = moved["blobs"].as_u64().unwrap();
        assert!(many > 3, "{moved}");
        (subject, many)
    }

    fn configure_archive(&self) {
        self.configure(&format!(
            "store_move_rate = \"0\"\nstore_rules = [\"originals larger than 200 kB to {PLACE}\"]\n\
             store_places.{PLACE} = \"s3://{BUCKET}/archive DEEP_ARCHIVE\"\n"
        ));
    }

    /// Asks the server of S3 itself for an object.
    fn object(&self, name: &str) -> http::Answer {
        http::get(
            self.server.address,
            &format!("/{BUCKET}/archive/{name}"),
            &KNOWN,
        )
    }

    fn recalls(&self) -> Vec<Json> {
        let status = self.home.json(["store", "status"]);
        status["survey"]["recalls"].as_array().unwrap().clone()
    }
}

fn problem(answer: &http::Answer) -> Json {
    serde_json::from_slice(&answer.body).unwrap()
}

#[test]
fn an_original_in_the_archive_is_asked_for_and_comes_back() {
    let (subject, _) = Tiered::archived();
    let home = &subject.home;
    let (server, address) = subject.serve();
    let id = home.asset("11.jpg");
    let bytes = fs::read(home.folder.path().join("handed over/11.jpg")).unwrap();
    let blob = format!("blobs/{}", blake3::hash(&bytes).to_hex());
    let sleeping = subject.object(&blob);
    assert_eq!(sleeping.status, 403, "{}", sleeping.head);
    // What says whose place it is has to be read at any time.
    assert_eq!(subject.object("layout").status, 200);
    assert_eq!(subject.recalls(), Vec::<Json>::new());
    let original = || http::get(address, &format!("/api/v1/assets/{id}/original"), &[]);

    subject.server.begin_recalls();
    let asked = original();
    assert_eq!(asked.status, 409, "{}", asked.head);
    assert_eq!(problem(&asked)["code"], "original_archived");
    let said = problem(&asked)["detail"].to_string();
    assert!(said.contains("may take hours"), "{said}");
    assert_eq!(subject.object(&blob).status, 403, "it is on its way");
    subject.server.hold_recalls();
    let recalls = subject.recalls();
    assert_eq!(recalls.len(), 1, "{recalls:?}");
    assert_eq!(recalls[0]["name"], "11.jpg");
    assert_eq!(recalls[0]["is_there"], false);
    let told = home.done(["store", "status"]).stdout;
    assert!(
        told.contains("11.jpg is being fetched from the archive"),
        "{told}"
    );
    // Who asks again is told since when, and does not ask the bucket again.
    let again = original();
    assert_eq!(again.status, 409);
    assert_eq!(problem(&again)["asked_at_ms"], recalls[0]["asked_at_ms"]);
    // What is shown all the time is there.
    let picture = http::get(
        address,
        &format!("/api/v1/assets/{id}/renditions/grid"),
        &[],
    );
    assert_eq!(picture.status, 200, "{}", picture.head);

    subject.server.end_recalls();
    let there = original();
    assert_eq!(there.status, 200, "{}", there.head);
    assert!(there.body == bytes);
    assert_eq!(subject.recalls()[0]["is_there"], true);
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn what_looks_at_everything_names_what_lies_in_the_archive_and_goes_on() {
    let (subject, many) = Tiered::archived();
    let home = &subject.home;
    let report = home.json(["fsck"]);
    assert_eq!(report["faults"], 0, "{report}");
    assert_eq!(report["archived"], many);
    let disk = home.folder.path().join("backup disk");
    let backup = home.heirloom.run(["backup", "to", path(&disk), "--json"]);
    let backup = backup.expect_code(1).json();
    assert_eq!(backup["outcome"]["lacking"], many, "{backup}");
    let files = backup["outcome"]["lacking_files"].as_array().unwrap();
    assert!(
        files.iter().all(|file| file["lacking"] == "archived"),
        "{files:?}"
    );
    let out = home.folder.path().join("taken along");
    let exported = home.heirloom.run(["export", path(&out)]).expect_code(1);
    let said = exported.stdout + &exported.stderr;
    assert!(said.contains("lies in an archive"), "{said}");
    assert!(out.join("data/metadata").exists());
    // The same file again is the same original, and nothing is read for that.
    subject.add_all();
    assert_eq!(home.json(["store", "move"])["state"], "done");
    assert_eq!(home.json(["fsck"])["archived"], many);
    // Nobody asked for anything to be brought back by all that.
    assert_eq!(subject.recalls(), Vec::<Json>::new());
}

#[test]
fn an_export_keeps_its_copy_of_what_went_to_the_archive_since() {
    let subject = Tiered::filled();
    let home = &subject.home;
    let out = home.folder.path().join("taken along");
    let first = home.json(["export", path(&out)]);
    subject.configure_archive();
    home.done(["store", "move"]);
    let _ = fs::remove_dir_all(home.data().join("cache"));
    // Its folder in the export is named after its date.
    let id = home.asset("11.jpg");
    home.done(["claim", "make", &id, "date", "1974-07"]);
    let again = home.json(["export", path(&out)]);
    assert_eq!(again["state"], "done", "{again}");
    let (first, again) = (&first["export"], &again["export"]);
    assert_eq!(again["originals"], first["originals"], "{again}");
    assert_eq!(
        (&again["copied"], &again["problem_count"]),
        (&0.into(), &0.into()),
        "{again}"
    );
    let bytes = fs::read(home.folder.path().join("handed over/11.jpg")).unwrap();
    let moved = walk(&out.join("data/originals")).into_iter();
    let mut moved = moved.filter(|file| file.ends_with("1974/07/11.jpg"));
    assert!(fs::read(moved.next().unwrap()).unwrap() == bytes);
    assert_eq!(subject.recalls(), Vec::<Json>::new());
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let files = entries.map(|path| match path.is_dir() {
        true => walk(&path),
        false => vec![path],
    });
    files.flatten().collect()
}

#[test]
fn whoever_only_looks_has_nothing_brought_back() {
    let (subject, _) = Tiered::archived();
    let home = &subject.home;
    let id = home.asset("11.jpg");
    let (server, address) = subject.serve();
    subject.server.begin_recalls();
    let asked = http::get(
        address,
        &format!("/api/v1/assets/{id}/original?bring_back=false"),
        &[],
    );
    assert_eq!(asked.status, 409, "{}", asked.head);
    assert_eq!(problem(&asked)["code"], "original_archived");
    // As is all that a page has on it.
    let page = http::get(address, &format!("/plain/assets/{id}"), &[]);
    let text = String::from_utf8(page.body).unwrap();
    let sources = text.split("src=\"").skip(1);
    let sources: Vec<&str> = sources.filter_map(|it| it.split('"').next()).collect();
    assert!(
        sources.iter().any(|it| it.contains("/original")),
        "{sources:?}"
    );
    for source in sources {
        let _ = http::get(address, &source.replace("&amp;", "&"), &[]);
    }
    assert_eq!(subject.recalls(), Vec::<Json>::new());
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn nobody_is_sent_to_what_lies_in_an_archive_that_is_left() {
    let (subject, _) = Tiered::archived();
    let id = subject.home.asset("11.jpg");
    // Nothing says any more what it was written with.
    subject.configure("store = \"folder\"\nstore_move_rate = \"0\"\nstore_redirect = true\n");
    let (server, address) = subject.serve();
    subject.server.begin_recalls();
    let original = || http::get(address, &format!("/api/v1/assets/{id}/original"), &[]);
    let asked = original();
    assert_eq!(asked.status, 409, "{}", asked.head);
    assert_eq!(problem(&asked)["code"], "original_archived");
    subject.server.end_recalls();
    // While it is there, it is given there.
    let sent = original();
    assert_eq!(sent.status, 307, "{}", sent.head);
    let origin = subject.server.endpoint();
    let there = sent.header("location").strip_prefix(&origin).unwrap();
    let there = http::get(subject.server.address, there, &[]);
    assert_eq!(there.status, 200, "{}", there.head);
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn what_is_to_leave_the_archive_is_asked_for_by_the_move() {
    let (subject, many) = Tiered::archived();
    let home = &subject.home;
    subject.configure("store = \"folder\"\n");
    let moved = home.heirloom.run(["store", "move", "--json"]);
    let moved = moved.expect_code(1).json();
    assert_eq!(
        (&moved["state"], &moved["blobs"]),
        (&"done".into(), &0.into())
    );
    assert_eq!(moved["waiting"], many, "{moved}");
    let moved = home.json(["store", "move"]);
    assert_eq!(moved["blobs"], many, "{moved}");
    subject.check();
    assert_eq!(subject.counts().len(), 1);
}
