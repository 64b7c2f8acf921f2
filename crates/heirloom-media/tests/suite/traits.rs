//! What tells a picture from others, and proves that it is the same.

use heirloom_core::duplicate::{SAME_PICTURE, Traits, likeness};
use heirloom_media::picture::{Limits, render};

use crate::pictures::{bytes_of, type_of};

fn traits(bytes: &[u8]) -> Traits {
    render(bytes, type_of(bytes), &Limits::default())
        .unwrap()
        .traits
}

#[test]
fn two_files_have_a_hash_in_common_only_of_the_very_same_picture() {
    let exact = |bytes: &[u8]| traits(bytes).exact_hash;
    let of = |name: &str| exact(&bytes_of(&format!("pictures/{name}")));
    // Another word in it, and something behind its end.
    let jpeg = bytes_of("pictures/baseline.jpg");
    let comment = [&[0xFF, 0xFE, 0, 6][..], b"wort"].concat();
    let noted = [&jpeg[..2], &comment, &jpeg[2..], b"what follows"].concat();
    assert!(exact(&jpeg).is_some());
    assert_eq!(exact(&noted), exact(&jpeg));
    // Packed otherwise, turned, and cut short.
    assert!(of("progressive.jpg").is_some());
    assert_ne!(of("progressive.jpg"), of("baseline.jpg"));
    assert_ne!(of("orientation_3.jpg"), of("baseline.jpg"));
    assert_eq!(exact(&jpeg[..jpeg.len() / 2]), None);
    // Stored without loss, whatever the format.
    assert!(of("chelsea.png").is_some());
    assert_eq!(of("lossless.webp"), of("chelsea.png"));
    assert_ne!(of("lossy.webp"), of("chelsea.png"));
    // What has more bits than are compared, what plays, and what has pages.
    for name in [
        "sixteen_bits.png",
        "plays.gif",
        "plays_png.png",
        "pages.tif",
    ] {
        assert_eq!(of(name), None, "{name}");
    }
}

#[test]
fn a_picture_is_told_from_others_whatever_it_is_stored_as() {
    let of = |name: &str| {
        let traits = traits(&bytes_of(&format!("pictures/{name}")));
        traits
            .miniature
            .unwrap_or_else(|| panic!("{name} has none"))
    };
    let cat = of("chelsea.png");
    for name in [
        "baseline.jpg",
        "heic.heic",
        "lossy.webp",
        "lab.tif",
        "orientation_5.jpg",
    ] {
        let like = likeness(&cat.part(0), 0, &of(name).part(0));
        assert!(like >= SAME_PICTURE, "{name}: {like}");
    }
}
