//! The same with the catalogue in PostgreSQL.

use heirloom_testing::postgres;

use super::*;

#[test]
fn places_rules_and_classes_are_the_same_on_postgres() {
    let subject = Tiered::filled_on(Some(postgres::database()));
    let home = &subject.home;
    let all = subject.counts()[0].1;
    let rules =
        "store_rules = [\"derived to folder\", \"pictures larger than 200 kB to archive\"]\n";
    let places = format!("store_places.archive = \"s3://{BUCKET}/archive STANDARD_IA\"\n");
    subject.configure(&format!(
        "store = \"s3://{BUCKET}/photos\"\n{rules}{places}"
    ));
    let large = subject.originals();
    let large: Vec<_> = large.iter().filter(|it| it.1.len() > 200_000).collect();
    let originals = subject.originals().len() as u64;
    assert_eq!(home.json(["store", "move"])["state"], "done");
    let many = large.len() as u64;
    assert_eq!(
        subject.counts(),
        named(&[
            ("folder", all - originals),
            ("bucket", originals - many),
            ("archive", many)
        ])
    );
    let hash = blake3::hash(&large[0].1).to_hex();
    let object = format!("/{BUCKET}/archive/blobs/{hash}");
    let object = http::get(subject.server.address, &object, &KNOWN);
    assert_eq!(object.header("x-amz-storage-class"), "STANDARD_IA");
    subject.check();
    // Back, with a server, while it is used.
    subject.configure("store = \"folder\"\nstore_move_rate = \"900 MB\"\n");
    let (server, address) = subject.serve();
    let started = Instant::now();
    while home.json(["store", "status"])["store"]["moves"][0]["state"] != "done"
        || subject.counts()[0].1 < all
    {
        for (id, bytes) in &large {
            let original = http::get(address, &format!("/api/v1/assets/{id}/original"), &[]);
            assert!(original.body == *bytes, "{id}: {}", original.head);
        }
        assert!(started.elapsed() < PATIENCE);
    }
    assert_eq!(server.stop().code, Some(0));
    assert_eq!(subject.counts(), named(&[("folder", all)]));
    subject.check();
}
