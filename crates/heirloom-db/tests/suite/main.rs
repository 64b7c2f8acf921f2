//! The storage suite.
use heirloom_core::claim::*;
use heirloom_core::*;
use heirloom_db::{artifact::*, claim::NewClaim, location::FoundFile, *};

#[tokio::test]
async fn smoke() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&Location::File(dir.path().join("catalogue.db")))
        .await
        .unwrap();
    let fam = db.get_or_create_family("Home").await.unwrap();
    let a = db
        .create_archive(&Actor::Operator, &fam, "x", "/x")
        .await
        .unwrap();
    let run = db
        .create_run(
            &Actor::Operator,
            fam.id,
            "scan",
            Some(a.id),
            &serde_json::json!({}),
        )
        .await
        .unwrap();
    let folder = db.get_or_create_folder(a.id, None, "").await.unwrap();
    let t = std::time::Instant::now();
    for round in 0..20u32 {
        let files: Vec<_> = (0..256u32)
            .map(|i| {
                let i = round * 256 + i;
                let mut h = [0; 32];
                h[..4].copy_from_slice(&i.to_le_bytes());
                FoundFile {
                    folder_id: folder.id,
                    folder_path: String::new(),
                    name: format!("IMG_{i}.jpg"),
                    size_bytes: 1,
                    modified_at_ns: 1,
                    inode: 1,
                    content_hash: ContentHash::from_bytes(h),
                    kind: MediaKind::Image,
                    media_type: "image/jpeg",
                    width: None,
                    height: None,
                    duration_ms: None,
                    derived: vec![Derived {
                        artifact: NewArtifact {
                            kind: "metadata",
                            tool: "metadata",
                            tool_version: 1,
                            inputs: vec![],
                            payload: Payload::Json(serde_json::json!({"a":1})),
                        },
                        claims: vec![
                            NewClaim {
                                statement: Statement::from_json(
                                    ClaimKind::Date,
                                    &serde_json::json!("2003-05-01T10:00:00"),
                                )
                                .unwrap(),
                                is_negation: false,
                                source: "x".into(),
                                confidence: 0.9,
                            },
                            NewClaim {
                                statement: Statement::from_json(
                                    ClaimKind::CameraMake,
                                    &serde_json::json!("Canon"),
                                )
                                .unwrap(),
                                is_negation: false,
                                source: "x".into(),
                                confidence: 0.9,
                            },
                        ],
                    }],
                    previous: None,
                }
            })
            .collect();
        let r = db.record_files(&a, run.id, 0, files).await.unwrap();
        assert_eq!(r.len(), 256);
    }
    eprintln!("{:?} per file", t.elapsed() / (256 * 20));
    let page = db
        .list_assets(&Actor::Operator, fam.id, None, 50)
        .await
        .unwrap();
    assert_eq!(page.items.len(), 50);
    let page = db
        .list_assets(&Actor::Operator, fam.id, page.next, 50)
        .await
        .unwrap();
    let one = &page.items[0];
    db.make_claim(
        &Actor::Operator,
        one.id,
        NewClaim {
            statement: Statement::from_json(ClaimKind::Title, &serde_json::json!("Oma")).unwrap(),
            is_negation: false,
            source: "".into(),
            confidence: 1.0,
        },
    )
    .await
    .unwrap();
    let one = db.get_asset(&Actor::Operator, one.id).await.unwrap();
    assert_eq!(one.title.as_deref(), Some("Oma"));
    assert!(db.purge_asset(&Actor::Operator, one.id).await.is_err());
    db.delete_asset(&Actor::Operator, one.id, None, true)
        .await
        .unwrap();
    db.purge_asset(&Actor::Operator, one.id).await.unwrap();
    db.sweep_purged().await.unwrap();
    assert_eq!(
        db.check_audit(&Actor::Operator, fam.id).await.unwrap(),
        Ok(1)
    );
    db.close().await;
}
