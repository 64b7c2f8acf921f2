//! Places and rules that stand in the environment.

use super::*;

#[test]
fn places_and_rules_can_stand_in_the_environment() {
    let subject = Tiered::filled();
    let heirloom = |name: &str, value: &str| subject.home.heirloom.clone().env(name, value);
    let places = format!("archive=s3://{BUCKET}/a GLACIER_IR; far = s3://{BUCKET}/b");
    // The variable takes the place of what the file says.
    subject.configure("store_rules = [\"films to nowhere\"]\n");
    let configured = heirloom("HEIRLOOM_STORE_PLACES", &places).env(
        "HEIRLOOM_STORE_RULES",
        "originals of album \"a; b\" to folder\npictures larger than 200 kB to archive;",
    );
    let shown = configured.run(["config", "show"]).expect_code(0).stdout;
    assert!(
        shown.contains("(environment HEIRLOOM_STORE_RULES)"),
        "{shown}"
    );
    assert!(
        shown.contains("of album \"a; b\" to folder; pictures larger"),
        "{shown}"
    );
    let moved = configured
        .run(["store", "move", "--json"])
        .expect_code(0)
        .json();
    assert!(moved["blobs"].as_u64().unwrap() > 3, "{moved}");
    for (name, value, said) in [
        (
            "HEIRLOOM_STORE_RULES",
            "films to folder; movies to folder",
            "number 2: the rule `movies",
        ),
        (
            "HEIRLOOM_STORE_PLACES",
            "s3://family/a",
            "is not NAME=s3://BUCKET/PREFIX",
        ),
        (
            "HEIRLOOM_STORE_PLACES",
            "a=s3://family/a; a=s3://family/b",
            "number 2: `a` is what another",
        ),
    ] {
        subject.configure("");
        let refused = heirloom(name, value).run(["config", "show"]).expect_code(2);
        let refusal = assert_refusal(&refused);
        assert!(
            refusal.contains(name) && refusal.contains(said),
            "{refusal}"
        );
    }
}
