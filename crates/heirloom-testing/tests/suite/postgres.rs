use heirloom_testing::postgres;

#[test]
fn each_test_gets_an_empty_database_of_its_own() {
    let (first, second) = (postgres::database(), postgres::database());
    assert_eq!(
        first.sql("CREATE TABLE letter (id INTEGER); SELECT count(*) FROM letter"),
        "0"
    );
    assert_eq!(second.sql("SELECT to_regclass('letter') IS NULL"), "t");
    assert_ne!(first.url, second.url);
}

#[test]
fn a_dropped_database_is_gone_with_its_connections() {
    let witness = postgres::database();
    let gone = postgres::database();
    let name = gone.sql("SELECT current_database()");
    let exists = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(witness.sql(&exists), "1");
    drop(gone);
    assert_eq!(witness.sql(&exists), "0");
}

#[test]
fn a_prepared_database_is_prepared_once_and_copied_for_each_test() {
    let key = format!("a table of letters, {}", uuid());
    let mut prepared = 0;
    let mut copy = || {
        postgres::database_like(&key, |url| {
            prepared += 1;
            psql(
                url,
                "CREATE TABLE letter (id INTEGER); INSERT INTO letter VALUES (1)",
            );
        })
    };
    let (first, second) = (copy(), copy());
    assert_eq!(
        first.sql("DELETE FROM letter; SELECT count(*) FROM letter"),
        "0"
    );
    assert_eq!(second.sql("SELECT count(*) FROM letter"), "1");
    assert_eq!(prepared, 1);
}

#[test]
fn the_address_is_one_that_clients_understand() {
    let database = postgres::database();
    assert_eq!(
        psql(&database.url, "SELECT current_database()"),
        database.sql("SELECT current_database()")
    );
}

#[test]
fn the_durable_server_flushes_and_the_fast_one_does_not() {
    let durable = postgres::cluster_with(postgres::Durability::Durable).database();
    assert_eq!(durable.sql("SHOW fsync"), "on");
    assert_eq!(durable.sql("SHOW synchronous_commit"), "on");
    assert_eq!(postgres::database().sql("SHOW fsync"), "off");
}

#[test]
fn the_server_is_private() {
    let database = postgres::database();
    assert_eq!(database.sql("SHOW listen_addresses"), "");
    assert_eq!(database.sql("SHOW server_encoding"), "UTF8");
    assert!(
        database
            .sql("SHOW server_version_num")
            .parse::<u32>()
            .unwrap()
            >= 150_000
    );
}

fn psql(url: &str, statement: &str) -> String {
    let output = std::process::Command::new("psql")
        .args([
            "--no-psqlrc",
            "--quiet",
            "--no-align",
            "--tuples-only",
            url,
            "--command",
            statement,
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

/// A key that no earlier run of this test has used: the server outlives it.
fn uuid() -> String {
    postgres::database().sql("SELECT gen_random_uuid()")
}
