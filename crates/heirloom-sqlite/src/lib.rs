//! A checksum on each page of a SQLite file, which finds any flipped bit.
//!
//! `cksumvfs.c` is SQLite's own, from the `ext/misc` of its version 3.53.4, unchanged and in the public domain
//! (<https://www.sqlite.org/cksumvfs.html>). SQLite calls it by itself when it begins, because the build says so
//! (`SQLITE_EXTRA_INIT` in `.cargo/config.toml`). There is no Rust here and none is needed.
