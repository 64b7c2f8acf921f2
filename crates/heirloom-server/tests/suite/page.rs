//! The pages, as a browser gets them.

use serde_json::json;

use crate::harness::{Home, on_both_engines};

async fn page(home: &Home, path: &str, language: &str) -> String {
    let headers = [("accept", "text/html"), ("accept-language", language)];
    let answer = home.ask("GET", path, &headers, None).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert!(answer.header("content-type").starts_with("text/html"));
    let policy = answer.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let text = answer.text();
    assert!(
        !text.contains("<script") && !text.contains(" style="),
        "{text}"
    );
    text
}

/// Where the first link with these words leads.
fn link<'a>(page: &'a str, words: &str) -> Option<&'a str> {
    let at = page.find(&format!(">{words}<"))?;
    let before = &page[..at];
    before.rsplit_once("href=\"")?.1.split('"').next()
}

#[tokio::test]
async fn the_library_is_a_list_in_the_readers_words() {
    on_both_engines(async |home| {
        home.scanned().await;
        let english = page(&home, "/plain", "en").await;
        assert!(english.contains("<html lang=\"en\">"));
        for words in [
            "1 July 1974, 10:00",
            "Picture",
            "Recording",
            "no date known",
            "Strand.jpg",
        ] {
            assert!(english.contains(words), "{words}: {english}");
        }
        assert!(english.contains("Pictures: Am Meer/Strand.jpg"));
        let order = ["Düne.jpg", "Strand.jpg", "no date.jpg"].map(|name| english.find(name));
        assert!(order.is_sorted(), "{order:?}");
        let german = page(&home, "/plain", "de").await;
        assert!(german.contains("<html lang=\"de\">"));
        for words in [
            "1. Juli 1974, 10:00 Uhr",
            "Bild",
            "Aufnahme",
            "kein Datum bekannt",
        ] {
            assert!(german.contains(words), "{words}: {german}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_empty_library_says_how_to_begin() {
    let home = Home::on_sqlite().await;
    assert!(page(&home, "/plain", "en").await.contains("heirloom scan"));
}

#[tokio::test]
async fn one_can_leaf_to_the_oldest_and_back_to_the_newest() {
    on_both_engines(async |home| {
        let root = home.folder.path().join("many");
        heirloom_testing::jpeg::write_library(&root, 120, 200);
        home.scan(&root).await;
        let names = |page: &str| -> Vec<String> {
            let parts = page.split("<span class=\"name\">").skip(2);
            parts
                .map(|part| part.split('<').next().unwrap().to_owned())
                .collect()
        };
        for start in ["/plain", "/plain?q=type%3Aimage"] {
            let (on, back) = if start == "/plain" {
                ("Older", "Newer")
            } else {
                ("Next", "Previous")
            };
            let mut path = start.to_owned();
            let mut seen = Vec::new();
            let mut pages = Vec::new();
            loop {
                let text = page(&home, &path, "en").await;
                seen.extend(names(&text));
                pages.push(names(&text));
                match link(&text, on) {
                    Some(next) => path = next.replace("&amp;", "&"),
                    None => break,
                }
            }
            assert_eq!(pages.len(), 3, "{start}");
            assert_eq!(seen.len(), 120, "{start}");
            let mut once = seen.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), 120, "{start}");
            for expected in [1, 0] {
                let text = page(&home, &path, "en").await;
                path = link(&text, back).unwrap().replace("&amp;", "&");
                let text = page(&home, &path, "en").await;
                assert_eq!(names(&text), pages[expected], "{start}");
            }
            let first = page(&home, &path, "en").await;
            assert_eq!(
                link(&first, back),
                None,
                "{start}: there is nothing before the first"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn an_assets_page_says_what_is_known_and_from_where() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let id = home.asset("Strand.jpg").await;
    let claims = format!("/api/v1/assets/{id}/claims");
    let title = json!({ "kind": "title", "value": "<b>Am Strand</b>" });
    home.post(&claims, &title).await;
    let date = json!({ "kind": "date", "value": "1973~", "source": "Oma" });
    home.post(&claims, &date).await;
    let text = page(&home, &format!("/plain/assets/{id}"), "en").await;
    for words in [
        "&lt;b&gt;Am Strand&lt;/b&gt;",
        "about 1973",
        "you said (Oma)",
        "but also: 1 July 1974, 10:00",
        "from the camera (exif:DateTimeOriginal)",
        "Pictures: Am Meer/Strand.jpg",
        "there since ",
        "Open the original",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(
        !text.contains("<b>"),
        "what people write is text and never markup"
    );
    assert_eq!(
        link(&text, "Open the original"),
        Some(format!("/plain/assets/{id}/original").as_str())
    );
}

#[tokio::test]
async fn an_assets_page_shows_the_original_where_browsers_can_without_running_it() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let root = home.folder.path().join("more");
    std::fs::create_dir_all(&root).unwrap();
    let svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let gif = b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
    std::fs::write(root.join("drawing.jpg"), svg).unwrap();
    std::fs::write(root.join("named so.txt"), gif).unwrap();
    home.scan(&root).await;
    let cases = [
        ("Strand.jpg", Some("<img class=\"original\"")),
        ("named so.txt", Some("<img class=\"original\"")),
        ("Oma erzählt.wav", Some("<audio class=\"original\"")),
        ("drawing.jpg", None),
    ];
    for (name, element) in cases {
        let id = home.asset(name).await;
        let address = format!("/plain/assets/{id}");
        let text = page(&home, &address, "de").await;
        let shown = text.find("class=\"original\"");
        let Some(element) = element else {
            assert_eq!(shown, None, "{name}: {text}");
            continue;
        };
        let (_, rest) = text
            .split_once(element)
            .unwrap_or_else(|| panic!("{name}: {text}"));
        let (attributes, _) = rest.split_once('>').unwrap();
        let label = format!("=\"{name}\"");
        let source = format!("src=\"{address}/original");
        assert!(
            attributes.contains(&source) && attributes.contains(&label),
            "{attributes}"
        );
        assert_eq!(
            element.contains("audio"),
            attributes.contains("preload=\"none\"")
        );
        let original = home
            .ask("GET", &format!("{address}/original"), &[], None)
            .await;
        assert_eq!(original.header("x-content-type-options"), "nosniff");
        assert!(original.header("content-disposition").starts_with("inline"));
        assert!(
            original
                .header("content-security-policy")
                .contains("sandbox")
        );
    }
    // Where there is no file there is nothing to show.
    let id = home.asset("named so.txt").await;
    std::fs::remove_file(root.join("named so.txt")).unwrap();
    home.scan(&root).await;
    let text = page(&home, &format!("/plain/assets/{id}"), "en").await;
    assert!(!text.contains("class=\"original\""), "{text}");
    assert!(
        text.contains("The original is at none of its places."),
        "{text}"
    );
}

#[tokio::test]
async fn a_search_marks_what_it_found_and_explains_what_it_cannot_read() {
    let home = Home::on_sqlite().await;
    home.scanned().await;
    let found = page(&home, "/plain?q=strand", "en").await;
    assert!(found.contains("<mark>Strand</mark>.jpg"), "{found}");
    assert!(found.contains("value=\"strand\""));
    assert!(!found.contains("Düne"));
    let nothing = page(&home, "/plain?q=gibtesnicht", "de").await;
    assert!(nothing.contains("Nichts gefunden"));
    let cases = [
        ("/plain?q=camra%3Aleica", "en", "Was “camera:” meant?"),
        ("/plain?q=camra%3Aleica", "de", "War „camera:“ gemeint?"),
        ("/plain?q=date%3Agestern", "de", "„gestern“ ist kein Datum"),
        ("/plain?q=type%3A", "en", "Nothing follows “type:”"),
        ("/plain?q=%3Cscript%3Ealert(1)", "en", "&lt;script&gt;"),
    ];
    for (path, language, words) in cases {
        let text = page(&home, path, language).await;
        assert!(text.contains(words), "{words}: {text}");
    }
    // An old or broken address is no dead end.
    for path in [
        "/plain?after=x",
        "/plain?before=",
        "/plain?q=strand&after=x&trail=%2C%2C",
        "/plain?trail=zz",
    ] {
        page(&home, path, "en").await;
    }
}
