//! A release carries the web app as it lies in `web/build`, so cargo has to look there again when that
//! changed. It is never built from here: that needs Node, and building Heirloom does not.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // A debug build reads the files when they are asked for.
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo tells build scripts by the environment"
    )]
    let profile = std::env::var("PROFILE");
    if profile.is_ok_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=../../web/build");
    }
}
