//! What is read of files beside a picture.

use heirloom_core::claim::ClaimKind;
use heirloom_media::{
    SidecarKind,
    album::{Album, TakeoutJson, is_year_folder, read_photoprism, read_takeout},
    icloud::{read_names, split_details},
    property, read_sidecar,
};
use proptest::prelude::*;

use super::best;

fn xmp(description: &str) -> heirloom_media::Metadata {
    let packet = format!(
        r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
        <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description rdf:about=""
          xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xap="http://ns.adobe.com/xap/1.0/"
          xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
          xmlns:digiKam="http://www.digikam.org/ns/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
          xmlns:MP="http://ns.microsoft.com/photo/1.2/" xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
          xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"
          xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
          xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
          xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
          {description}
        </rdf:RDF></x:xmpmeta>"#
    );
    read_sidecar(packet.as_bytes(), SidecarKind::Xmp)
}

fn all(found: &heirloom_media::Metadata, kind: ClaimKind) -> Vec<String> {
    found
        .of_kind(kind)
        .map(|finding| finding.statement.value().to_json().to_string())
        .collect()
}

#[test]
fn attributes_and_elements_say_the_same() {
    let attributes = xmp(
        r#"exif:DateTimeOriginal="1974-08-12T10:00:00+01:00" xap:Rating="4" photoshop:City="Kiel"
           exif:GPSLatitude="54,19.4N" exif:GPSLongitude="10,8.4E"/>"#,
    );
    let elements = xmp(
        "><exif:DateTimeOriginal>1974-08-12T10:00:00+01:00</exif:DateTimeOriginal><xap:Rating>4</xap:Rating>
          <photoshop:City>Kiel</photoshop:City><exif:GPSLatitude>54,19.4N</exif:GPSLatitude>
          <exif:GPSLongitude>10,8.4E</exif:GPSLongitude></rdf:Description>",
    );
    assert_eq!(attributes, elements);
    assert_eq!(
        best(&attributes, ClaimKind::Date),
        r#"sidecar-xmp:exif:DateTimeOriginal "1974-08-12T10:00:00+01:00""#
    );
    assert_eq!(
        best(&attributes, ClaimKind::Rating),
        "sidecar-xmp:xmp:Rating 4"
    );
    assert_eq!(
        best(&attributes, ClaimKind::Place),
        r#"sidecar-xmp:photoshop:City "Kiel""#
    );
    assert!(best(&attributes, ClaimKind::Position).contains("54.3233"));
}

#[test]
fn titles_captions_and_tags_are_read_in_their_default_language() {
    let found = xmp(
        r#"><dc:title><rdf:Alt><rdf:li xml:lang="en">At the sea</rdf:li><rdf:li xml:lang="x-default">Am Meer</rdf:li></rdf:Alt></dc:title>
           <dc:description><rdf:Alt><rdf:li xml:lang="x-default">Anna &amp; Karl &#8212; 1974</rdf:li></rdf:Alt></dc:description>
           <dc:subject><rdf:Bag><rdf:li>Strand</rdf:li><rdf:li>Urlaub</rdf:li></rdf:Bag></dc:subject>
           <lr:hierarchicalSubject><rdf:Bag><rdf:li>Orte|Sylt</rdf:li></rdf:Bag></lr:hierarchicalSubject>
           <digiKam:TagsList><rdf:Seq><rdf:li>Orte/Sylt/Strand</rdf:li></rdf:Seq></digiKam:TagsList></rdf:Description>"#,
    );
    assert_eq!(all(&found, ClaimKind::Title), [r#""Am Meer""#]);
    assert_eq!(all(&found, ClaimKind::Caption), [r#""Anna & Karl — 1974""#]);
    assert_eq!(
        all(&found, ClaimKind::Tag),
        [
            r#""Strand""#,
            r#""Urlaub""#,
            r#""Orte/Sylt""#,
            r#""Orte/Sylt/Strand""#
        ]
    );
}

#[test]
fn people_are_read_from_the_areas_of_their_faces() {
    let found = xmp(
        r#"><mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>
             <rdf:li><rdf:Description mwg-rs:Name="Anna" mwg-rs:Type="Face"><mwg-rs:Area stArea:x="0.5" stArea:y="0.25" stArea:w="0.1" stArea:h="0.2" stArea:unit="normalized"/></rdf:Description></rdf:li>
             <rdf:li rdf:parseType="Resource"><mwg-rs:Name>Bello</mwg-rs:Name><mwg-rs:Type>Pet</mwg-rs:Type></rdf:li>
             <rdf:li rdf:parseType="Resource"><mwg-rs:Type>Face</mwg-rs:Type></rdf:li>
           </rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>
           <MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>
             <rdf:li MPReg:PersonDisplayName="Karl" MPReg:Rectangle="0.1, 0.2, 0.2, 0.4"/></rdf:Bag></MPRI:Regions></MP:RegionInfo>
           <Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Hilde</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage></rdf:Description>"#,
    );
    assert_eq!(
        all(&found, ClaimKind::Person),
        [r#""Hilde""#, r#""Anna""#, r#""Karl""#]
    );
    assert_eq!(all(&found, ClaimKind::Tag), [r#""Bello""#]);
    let regions: serde_json::Value =
        serde_json::from_str(&found.properties[property::REGIONS]).unwrap();
    assert_eq!(regions[0]["name"], "Anna");
    assert_eq!(regions[1]["x"], 0.2);
    assert_eq!(regions[1]["y"], 0.4);
}

#[test]
fn entities_that_a_sidecar_declares_are_not_expanded_or_fetched() {
    let packet = r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/hostname">]>
      <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>&b;&f;</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"#;
    let found = read_sidecar(packet.as_bytes(), SidecarKind::Xmp);
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    assert!(!found.problems.is_empty());
}

#[test]
fn takeout_says_when_where_who_and_what() {
    let json = r#"{"title": "IMG_1.jpg", "description": "Am Strand",
      "photoTakenTime": {"timestamp": "1696573800"}, "creationTime": {"timestamp": "1"},
      "geoData": {"latitude": 54.3, "longitude": 10.1, "altitude": 3.5},
      "geoDataExif": {"latitude": 0.0, "longitude": 0.0, "altitude": 0.0},
      "people": [{"name": "Anna"}, {"name": "Karl"}, {}], "favorited": true}"#;
    let found = read_sidecar(json.as_bytes(), SidecarKind::Takeout);
    assert_eq!(
        best(&found, ClaimKind::Date),
        r#"takeout:photoTakenTime "2023-10-06T06:30:00Z""#
    );
    assert_eq!(
        best(&found, ClaimKind::Position),
        r#"takeout:geoData {"altitude_m":3.5,"latitude":54.3,"longitude":10.1}"#
    );
    assert_eq!(all(&found, ClaimKind::Person), [r#""Anna""#, r#""Karl""#]);
    assert_eq!(
        best(&found, ClaimKind::Caption),
        r#"takeout:description "Am Strand""#
    );
    assert_eq!(found.properties[property::FAVORITE], "true");
    assert_eq!(found.of_kind(ClaimKind::Title).count(), 0);
    assert!(found.problems.is_empty());
}

#[test]
fn takeout_without_a_place_or_a_date_says_neither() {
    let json =
        r#"{"photoTakenTime": {"timestamp": "0"}, "geoData": {"latitude": 0.0, "longitude": 0.0}}"#;
    let found = read_sidecar(json.as_bytes(), SidecarKind::Takeout);
    assert!(found.findings.is_empty());
    for broken in ["", "[1]", "{", "{\"a\":", "null"] {
        let found = read_sidecar(broken.as_bytes(), SidecarKind::Takeout);
        assert_eq!(found.problems.len(), 1, "{broken:?}");
    }
}

#[test]
fn a_photograph_before_1970_keeps_its_date() {
    let json = r#"{"photoTakenTime": {"timestamp": "-473385600"}}"#;
    let found = read_sidecar(json.as_bytes(), SidecarKind::Takeout);
    assert_eq!(
        best(&found, ClaimKind::Date),
        r#"takeout:photoTakenTime "1955-01-01T00:00:00Z""#
    );
}

#[test]
fn of_photoprism_only_what_somebody_set_is_a_statement() {
    let yaml = "UID: pq1\nTakenAt: 2003-07-11T14:08:33Z\nTakenAtLocal: 2003-07-11T16:08:33Z\nTakenSrc: manual\n\
        Title: Seashore / 2003\nCaption: Am Strand\nCaptionSrc: manual\nFavorite: true\nPrivate: true\nYear: 2003\n\
        Month: 7\nDay: -1\nLat: 54.5\nLng: 8.25\nAltitude: 3\nPlaceSrc: meta\nDeletedAt: 2022-08-05T18:06:59Z\n\
        Details:\n  Keywords: bike, brown\n  Subject: Oma, Karl & Anna\n  SubjectSrc: marker\n  Artist: Karl\n  ArtistSrc: meta\n";
    let found = read_sidecar(yaml.as_bytes(), SidecarKind::PhotoPrism);
    assert_eq!(
        best(&found, ClaimKind::Date),
        r#"photoprism:TakenAtLocal "2003-07""#
    );
    assert_eq!(
        best(&found, ClaimKind::Position),
        r#"photoprism:Lat {"altitude_m":3.0,"latitude":54.5,"longitude":8.25}"#
    );
    assert_eq!(
        all(&found, ClaimKind::Person),
        [r#""Oma""#, r#""Karl""#, r#""Anna""#]
    );
    assert_eq!(all(&found, ClaimKind::Author), [r#""Karl""#]);
    assert_eq!(
        best(&found, ClaimKind::Caption),
        r#"photoprism:Caption "Am Strand""#
    );
    for kind in [ClaimKind::Title, ClaimKind::Tag] {
        assert_eq!(found.of_kind(kind).count(), 0, "{kind}");
    }
    for (name, value) in [
        (property::FAVORITE, "true"),
        (property::DELETED, "true"),
        ("private", "true"),
        (property::FOREIGN_ID, "pq1"),
    ] {
        assert_eq!(found.properties[name], value, "{name}");
    }
    for broken in ["", "- a", "a: [", "a: &b [*b]", "\u{0}"] {
        let found = read_sidecar(broken.as_bytes(), SidecarKind::PhotoPrism);
        assert_eq!(
            (found.problems.len(), found.findings.len()),
            (1, 0),
            "{broken:?}"
        );
    }
}

#[test]
fn a_line_of_apples_table_says_when_and_what_it_was_marked_as() {
    let head =
        "imgName,fileChecksum,favorite,hidden,deleted,originalCreationDate,viewCount,importDate";
    let cases = [
        (
            "a.jpg,x,yes,no,no,\"Friday December 14,2012 2:39 AM GMT\",3,",
            r#"icloud:originalCreationDate "2012-12-14T02:39:00Z""#,
            true,
        ),
        (
            "a.jpg,x,no,no,no,Saturday June 18,2022 12:05 AM GMT,0,",
            r#"icloud:originalCreationDate "2022-06-18T00:05:00Z""#,
            false,
        ),
        (
            "a.jpg,x,no,no,no,\"Saturday June 18,2022 12:05 PM GMT\",0,",
            r#"icloud:originalCreationDate "2022-06-18T12:05:00Z""#,
            false,
        ),
    ];
    for (line, date, is_favorite) in cases {
        let table = format!("{head}\n{line}\n");
        let details = split_details(table.as_bytes()).unwrap();
        assert_eq!(details[0].name, "a.jpg");
        let found = read_sidecar(&details[0].excerpt, SidecarKind::AppleDetails);
        assert_eq!(best(&found, ClaimKind::Date), date, "{line}");
        assert_eq!(
            found.properties.contains_key(property::FAVORITE),
            is_favorite,
            "{line}"
        );
    }
    let table = format!("{head}\na.jpg,x,no,no,no,Freitag 14. Dezember,0,\n");
    let found = read_sidecar(table.as_bytes(), SidecarKind::AppleDetails);
    assert_eq!(found.problems.len(), 1);
    assert_eq!(split_details(b"Images\nIMG_1.JPG\n"), None);
    assert_eq!(
        read_names(b"\xef\xbb\xbfImages\nIMG_1.JPG\n\n\"a, b.jpg\"\n"),
        ["IMG_1.JPG", "a, b.jpg"]
    );
}

#[test]
fn years_of_google_photos_are_no_albums() {
    let cases = [
        ("Photos from 2012", true),
        ("Fotos von 2012", true),
        ("Photos de 2012", true),
        ("Foto's uit 2012", true),
        ("2012年の写真", true),
        ("Urlaub 2012", false),
        ("Photos from Rome", false),
        ("2012", false),
        ("", false),
    ];
    for (name, is_year) in cases {
        assert_eq!(is_year_folder(name), is_year, "{name}");
    }
}

#[test]
fn an_album_is_told_from_a_picture_by_what_it_says() {
    let album = |title: &str| {
        TakeoutJson::Album(Album {
            title: title.to_owned(),
            ..Album::default()
        })
    };
    let cases = [
        (r#"{"title": " Sylt "}"#, album("Sylt")),
        (
            r#"{"albumData": {"title": "Sylt", "date": {}}}"#,
            album("Sylt"),
        ),
        (
            r#"{"title": "a.jpg", "photoTakenTime": {}}"#,
            TakeoutJson::Picture("a.jpg".to_owned()),
        ),
        ("[]", TakeoutJson::Other),
        ("{", TakeoutJson::Other),
    ];
    for (json, expected) in cases {
        assert_eq!(read_takeout(json.as_bytes()), expected, "{json}");
    }
    let yaml = "Type: album\nTitle: Ferien\nPhotos:\n- UID: pq1\n- UID: pq2\n  Hidden: true\n";
    let album = read_photoprism(yaml.as_bytes()).unwrap();
    assert_eq!(
        (album.title.as_str(), album.members),
        ("Ferien", vec!["pq1".to_owned()])
    );
    assert_eq!(read_photoprism(b"Type: month\nTitle: July\n"), None);
}

proptest! {
    #[test]
    fn nothing_that_describes_pictures_makes_a_reader_panic(
        text in r#"([A-Za-z]{0,9}[:,"{}\[\]\n&*|>#!% -]{0,3}){0,40}"#,
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let named = format!("UID: {text}\nTakenAt: {text}\nTakenSrc: manual\nDetails:\n  Keywords: {text}\n");
        let table = format!("imgName,b,c,d,e,originalCreationDate\n{text}\n");
        for bytes in [text.as_bytes(), &bytes, named.as_bytes(), table.as_bytes()] {
            for kind in [
                SidecarKind::Takeout,
                SidecarKind::Xmp,
                SidecarKind::PhotoPrism,
                SidecarKind::AppleDetails,
            ] {
                let _ = read_sidecar(bytes, kind);
            }
            let _ = read_takeout(bytes);
            let _ = read_photoprism(bytes);
            let _ = split_details(bytes);
            let _ = read_names(bytes);
        }
        let _ = is_year_folder(&text);
    }
}
