//! Whatever lies beside a picture, and whatever a folder's files are called: sidecars are read within
//! their bounds, each is about media of the folder, and no file is in two stacks.

#![no_main]

use std::collections::BTreeMap;

use heirloom_media::{
    FileType, Member, SidecarKind, find_stacks, match_sidecars, property, read_sidecar,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for kind in [
        SidecarKind::Xmp,
        SidecarKind::Takeout,
        SidecarKind::AppleEdit,
    ] {
        let found = read_sidecar(bytes, kind);
        assert!(found.findings.len() <= 2_000);
        for finding in &found.findings {
            assert!(
                finding.source.starts_with("sidecar-xmp:")
                    || finding.source.starts_with("takeout:")
            );
            assert!((0.0..=1.0).contains(&finding.confidence), "{finding:?}");
        }
    }
    // The same bytes as a folder: a name in each line.
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let names: Vec<&str> = text.lines().take(200).collect();
    for matched in match_sidecars(&names) {
        assert!(matched.sidecar < names.len());
        assert!(!matched.media.is_empty());
        assert!(
            matched
                .media
                .iter()
                .all(|at| *at < names.len() && *at != matched.sidecar)
        );
    }
    let known = ["JPEG", "HEIC", "QuickTime", "Canon CR2", "PNG", "PDF"];
    let properties: Vec<BTreeMap<String, String>> = names
        .iter()
        .map(|name| {
            let key = if name.len() % 2 == 0 {
                property::LIVE_PHOTO_ID
            } else {
                property::BURST_ID
            };
            let id = name.chars().next().filter(|_| name.len() % 5 == 0);
            id.into_iter()
                .map(|id| (key.to_owned(), id.to_string()))
                .collect()
        })
        .collect();
    let members: Vec<Member<'_>> = names
        .iter()
        .zip(&properties)
        .map(|(name, properties)| {
            let file_type =
                FileType::by_name(known[name.len() % known.len()]).expect("a known type");
            Member {
                name,
                file_type,
                properties,
            }
        })
        .collect();
    let mut seen = vec![false; members.len()];
    for stack in find_stacks(&members) {
        assert!(stack.members.len() > 1);
        assert!(stack.members.contains(&stack.cover));
        for member in stack.members {
            assert!(!std::mem::replace(&mut seen[member], true), "in two stacks");
        }
    }
});
