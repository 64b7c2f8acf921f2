//! A library leaves as a folder that other programs can read, and comes back.

mod heard;
mod kill;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use heirloom_testing::process::Heirloom;
use serde_json::Value as Json;

use crate::harness::{Home, path, program, snapshot};

/// What checks an export: the Library of Congress's bagit and jsonschema, as `./dev setup` installs them.
const CHECKERS: &str = "heirloom/tools/bagit-1.8.1/bin/python";

const SCRIPT: &str = r"
import glob, json, sys
import bagit, jsonschema
folder = sys.argv[1]
assert bagit.Bag(folder).validate()
schema = json.load(open(folder + '/data/metadata/schema.json'))
jsonschema.Draft202012Validator.check_schema(schema)
def check(what, value):
    reference = {'$ref': '#/$defs/' + what, '$defs': schema['$defs']}
    jsonschema.Draft202012Validator(reference).validate(value)
    global checked
    checked += 1
checked = 0
check('library', json.load(open(folder + '/data/metadata/library.json')))
for what, pattern in [('asset', 'assets/*.jsonl'), ('stack', 'stacks.jsonl'), ('collection', 'collections.jsonl'),
        ('member', 'members/*.jsonl')]:
    for name in glob.glob(folder + '/data/metadata/' + pattern):
        for line in open(name, encoding='utf-8'):
            check(what, json.loads(line))
print(checked)
";

/// Checks an export with what others wrote; gives how many values it has.
#[track_caller]
fn check(folder: &Path) -> usize {
    #[expect(clippy::disallowed_methods, reason = "where ./dev puts its tools")]
    let [cache, own] = ["XDG_CACHE_HOME", "HOME"].map(std::env::var_os);
    let cache = cache.map_or_else(|| Path::new(&own.unwrap()).join(".cache"), PathBuf::from);
    let python = cache.join(CHECKERS);
    assert!(
        python.exists(),
        "{} is missing: run ./dev setup",
        python.display()
    );
    let done = Command::new(python)
        .args(["-c", SCRIPT, path(folder)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    String::from_utf8_lossy(&done.stdout)
        .trim()
        .parse()
        .unwrap()
}

/// What exiftool reads in a sidecar.
fn exiftool(file: &Path) -> Json {
    let done = Command::new("exiftool")
        .args(["-j", "-n", "-struct", path(file)])
        .output()
        .unwrap();
    let json: Json = serde_json::from_slice(&done.stdout).unwrap();
    json[0].clone()
}

#[test]
fn naming_what_is_no_import_begins_no_library() {
    let home = Home::new();
    let picture = home.folder.path().join("a.jpg");
    fs::write(&picture, b"no archive").unwrap();
    let missing = home.folder.path().join("takeout.zip");
    for (wrong, said) in [(&picture, "a.jpg"), (&missing, "takeout.zip")] {
        let refused = home.refused(["import", path(wrong)]);
        assert!(refused.contains(said), "{refused}");
        assert!(!home.data().join("catalogue.db").exists());
        assert!(!home.data().join("blobs").exists());
    }
}

#[test]
fn an_export_is_read_by_programs_that_others_wrote() {
    let home = Home::scanned();
    let root = home.folder.path().join("Pictures");
    let before = snapshot(&root);
    let strand = home.asset("Strand.jpg");
    for (kind, value) in [
        ("title", "Am <Strand> & \"mehr\""),
        ("caption", "Zwei\nZeilen"),
        ("person", "Oma"),
        ("tag", "Meer"),
        ("date", "1974-07~"),
        ("position", "54.5,-8.25,12.5"),
        ("place", "Sylt"),
        ("rating", "5"),
    ] {
        home.done(["claim", "make", &strand, kind, value]);
    }
    home.done(["collection", "create", "Ferien", &strand]);
    let out = home.folder.path().join("out");
    let run = home.json(["export", path(&out)]);
    let report = &run["export"];
    assert_eq!(
        (&report["originals"], &report["problem_count"]),
        (&4.into(), &0.into()),
        "{run}"
    );
    assert_eq!(check(&out), 1 + 4 + 1 + 1);
    assert_eq!(snapshot(&root), before);
    let original = "data/originals/Pictures/Am Meer/Strand.jpg";
    assert_eq!(
        fs::read(out.join(original)).unwrap(),
        fs::read(root.join("Am Meer/Strand.jpg")).unwrap()
    );

    let read = exiftool(&out.join(format!("{original}.xmp")));
    for (tag, value) in [
        ("Title", Json::from("Am <Strand> & \"mehr\"")),
        ("Description", "Zwei\nZeilen".into()),
        ("Subject", serde_json::json!(["Meer"])),
        ("PersonInImage", serde_json::json!(["Oma"])),
        ("DateCreated", "1974:07".into()),
        ("Created", "1974-07~".into()),
        ("Rating", 5.into()),
        ("Location", "Sylt".into()),
        ("GPSLatitude", 54.5.into()),
        ("GPSLongitude", (-8.25).into()),
        ("GPSAltitude", 12.5.into()),
    ] {
        assert_eq!(read[tag], value, "{tag} in {read}");
    }
    let index = fs::read_to_string(out.join("data/index.html")).unwrap();
    for link in [
        "pages/1974.html",
        "pages/1980.html",
        "pages/undated.html",
        "pages/collection-0001.html",
    ] {
        assert!(
            index.contains(link) && out.join("data").join(link).is_file(),
            "{link} in {index}"
        );
    }
    let page = fs::read_to_string(out.join("data/pages/1974.html")).unwrap();
    assert!(
        page.contains("Am &lt;Strand&gt; &amp; &quot;mehr&quot;"),
        "{page}"
    );
    for text in [index, page] {
        assert!(
            !text.contains("http://") && !text.contains("https://") && !text.contains("eirloom"),
            "{text}"
        );
    }
}

#[test]
fn a_collection_leaves_alone_and_what_is_lost_is_named() {
    let home = Home::scanned();
    let strand = home.asset("Strand.jpg");
    home.done(["collection", "create", "Ferien", &strand]);
    let out = home.folder.path().join("out");
    home.done(["export", path(&out), "--collection", "Ferien"]);
    assert!(
        out.join("data/originals/Pictures/Am Meer/Strand.jpg")
            .is_file()
    );
    assert!(!out.join("data/originals/Pictures/no date.jpg").exists());
    check(&out);
    // All of it to the same folder, without the file that is gone by now.
    fs::remove_file(home.folder.path().join("Pictures/no date.jpg")).unwrap();
    let finished = home.heirloom.run(["export", path(&out)]).expect_code(1);
    assert!(finished.stderr.contains("no date.jpg"), "{finished:?}");
    check(&out);
    let refused = home.refused(["export", path(&home.folder.path().join("Pictures"))]);
    assert!(refused.contains("where nothing is written"), "{refused}");
}

#[test]
fn a_family_leaves_by_its_name_or_its_id_and_another_is_refused() {
    let home = Home::scanned();
    let out = home.folder.path().join("out");
    home.done(["export", path(&out), "--family", "FAMILY"]);
    assert!(
        out.join("data/originals/Pictures/no date.jpg").is_file(),
        "all of it"
    );
    let library = fs::read_to_string(out.join("data/metadata/library.json")).unwrap();
    let library: serde_json::Value = serde_json::from_str(&library).unwrap();
    let id = library["family_id"].as_str().unwrap();
    home.done(["export", path(&out), "--family", id]);
    check(&out);
    let nowhere = home.folder.path().join("nowhere");
    let refused = home.refused(["export", path(&nowhere), "--family", "Müller"]);
    assert!(
        refused.contains("there is no family \"Müller\"") && refused.contains("Family"),
        "{refused}"
    );
    assert!(!nowhere.exists(), "nothing is begun");
}

#[test]
fn an_export_is_imported_into_a_library_that_is_not_there_yet() {
    let home = Home::scanned();
    home.done([
        "claim",
        "make",
        &home.asset("Strand.jpg"),
        "title",
        "Am Strand",
    ]);
    let out = home.folder.path().join("out");
    home.done(["export", path(&out)]);
    let other: Heirloom = program().data(home.folder.path().join("other"));
    let run = |words: &[&str]| other.run(words.iter().copied()).expect_code(0);
    run(&["import", path(&out), "--no-process"]);
    let again = run(&["import", path(&out), "--no-process", "--json"]).json();
    assert_eq!(
        (&again["import"]["added"], &again["import"]["known"]),
        (&0.into(), &4.into()),
        "{again}"
    );
    let dry = run(&["import", path(&out), "--dry-run", "--json"]).json();
    assert_eq!(
        (&dry["import"]["is_dry"], &dry["import"]["known"]),
        (&true.into(), &4.into()),
        "{dry}"
    );
    assert_eq!(
        dry["parameters"]["process"], false,
        "nothing follows: {dry}"
    );
    let found = run(&["search", "strand", "--json"]).json();
    assert_eq!(found["items"][0]["title"], "Am Strand", "{found}");
    run(&["fsck"]);
}

#[test]
fn what_others_hand_out_is_told_apart_and_imported() {
    let home = Home::scanned();
    let strand = fs::read(home.folder.path().join("Pictures/Am Meer/Strand.jpg")).unwrap();
    let photo = |number: u8| {
        // Another picture to the catalogue; what stands behind the end of a JPEG is not looked at.
        let mut bytes = strand.clone();
        bytes.push(number);
        bytes
    };
    let json = br#"{"title": "a.jpg", "photoTakenTime": {"timestamp": "1341144000"}, "description": "Im Watt"}"#;
    let details = b"imgName,fileChecksum,favorite,hidden,deleted,originalCreationDate,viewCount,importDate\nc.jpg,x,yes,no,no,,0,\n";
    let yaml = b"UID: pq1\nTitle: Tante Emma\nTitleSrc: manual\n";
    // From where, its files, what has to be found by which word.
    type Files = Vec<(&'static str, Vec<u8>)>;
    let cases: [(&str, Files); 5] = [
        (
            "takeout",
            vec![
                ("Takeout/Google Photos/Trip/a.jpg", photo(1)),
                (
                    "Takeout/Google Photos/Trip/a.jpg.supplemental-metadata.json",
                    json.to_vec(),
                ),
                (
                    "Takeout/Google Photos/Trip/metadata.json",
                    br#"{"title": "Trip"}"#.to_vec(),
                ),
            ],
        ),
        (
            "apple",
            vec![
                ("Part 1/Photos/c.jpg", photo(2)),
                ("Part 1/Photos/Photo Details.csv", details.to_vec()),
            ],
        ),
        (
            "immich",
            vec![("library/anna/d.jpg", photo(3)), ("thumbs/d.jpg", photo(4))],
        ),
        (
            "photoprism",
            vec![
                ("originals/e.jpg", photo(5)),
                ("storage/sidecar/e.yml", yaml.to_vec()),
            ],
        ),
        ("folder", vec![("f.jpg", photo(6))]),
    ];
    for (source, files) in cases {
        let root = home.folder.path().join(format!("from {source}"));
        for (name, bytes) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let dry = home.json(["import", path(&root), "--dry-run"]);
        assert_eq!(
            (&dry["import"]["source"], &dry["import"]["added"]),
            (&source.into(), &1.into()),
            "{dry}"
        );
        let run = home.json(["import", path(&root), "--from", source, "--no-process"]);
        assert_eq!(
            (&run["import"]["added"], &run["import"]["is_guessed"]),
            (&1.into(), &false.into()),
            "{run}"
        );
        let again = home.json(["import", path(&root), "--no-process"]);
        assert_eq!(
            (&again["import"]["added"], &again["import"]["known"]),
            (&0.into(), &1.into()),
            "{again}"
        );
    }
    for words in [
        "watt",
        "in:Trip",
        "emma",
        "in:\"Favourites (Apple Photos)\"",
    ] {
        let found = home.json(["search", words]);
        assert_eq!(
            found["items"].as_array().map(Vec::len),
            Some(1),
            "{words}: {found}"
        );
    }
    let refused = home.refused(["import", path(&home.folder.path().join("nowhere"))]);
    assert!(refused.contains("there is nothing at"), "{refused}");
}
