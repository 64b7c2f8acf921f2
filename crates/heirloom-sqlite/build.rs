//! Compiles what SQLite is given beyond itself against the header of the SQLite that is linked.

use std::env;

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script by its environment"
)]
fn main() {
    println!("cargo::rerun-if-changed=src/cksumvfs.c");
    let include =
        env::var_os("DEP_SQLITE3_INCLUDE").expect("libsqlite3-sys says where its header is");
    cc::Build::new()
        .file("src/cksumvfs.c")
        .include(include)
        .define("SQLITE_CKSUMVFS_STATIC", None)
        // The SQL function by which a connection asks for checksums.
        .define(
            "SQLITE_CKSUMVFS_INIT_FUNCNAME",
            Some("\"reserve_checksums\""),
        )
        // Nothing in Rust names what is in it: SQLite does, which a linker may come to last.
        .link_lib_modifier("+whole-archive")
        .warnings(false)
        .compile("heirloom_sqlite");
}
