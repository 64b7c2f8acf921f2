//! A library with a few files, and requests to it.

use futures_util::StreamExt as _;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use heirloom_core::Actor;
use heirloom_db::{Db, Location, family::Family};
use heirloom_server::{
    Body, Door, IpfsSettings, Library, LibraryConfig, ModelsConfig, Router, StoreConfig,
    UploadLimits, router,
};
use heirloom_testing::{
    jpeg::{self, Options},
    postgres::{self, TestDatabase},
    wav,
};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// An open library with what it stands on.
pub(crate) struct Home {
    pub(crate) library: Library,
    pub(crate) router: Router,
    pub(crate) folder: TempDir,
    database: Option<TestDatabase>,
    ipfs: IpfsSettings,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Runs a test on each engine.
pub(crate) async fn on_both_engines<F: Future<Output = ()>>(test: impl Fn(Home) -> F) {
    test(Home::on_sqlite().await).await;
    test(Home::on_postgres().await).await;
}

impl Home {
    pub(crate) async fn on_sqlite() -> Self {
        Self::open(None, "data").await
    }

    /// With a data folder of that name.
    pub(crate) async fn in_folder(name: &str) -> Self {
        Self::open(None, name).await
    }

    pub(crate) async fn on_postgres() -> Self {
        Self::open(Some(postgres::database()), "data").await
    }

    /// With its blobs somewhere else.
    pub(crate) async fn with_store(folder: TempDir, store: StoreConfig) -> Self {
        Self::open_with(None, folder, "data", store, IpfsSettings::default()).await
    }

    /// With somebody who keeps collections on IPFS.
    pub(crate) async fn with_ipfs(database: Option<TestDatabase>, ipfs: IpfsSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::open_with(database, folder, "data", StoreConfig::default(), ipfs).await
    }

    async fn open(database: Option<TestDatabase>, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, ipfs) = (StoreConfig::default(), IpfsSettings::default());
        Self::open_with(database, folder, name, store, ipfs).await
    }

    async fn open_with(
        database: Option<TestDatabase>,
        folder: TempDir,
        name: &str,
        store: StoreConfig,
        ipfs: IpfsSettings,
    ) -> Self {
        let config = LibraryConfig {
            folder: folder.path().join(name),
            database: database.as_ref().map(|database| database.url.clone()),
            is_creating: true,
            confined_program: Some(env!("CARGO_BIN_EXE_confined-for-server-tests").into()),
            uploads: UploadLimits::default(),
            store,
            ipfs: ipfs.clone(),
            models: ModelsConfig::default(),
        };
        let library = Library::open(&config).await.unwrap();
        Self {
            router: router(library.clone(), Door::Known(Actor::Operator)),
            library,
            folder,
            database,
            ipfs,
        }
    }

    /// Closes the library and opens it again, as a restart does.
    pub(crate) async fn reopen(self) -> Self {
        let Self {
            library,
            router: old_router,
            folder,
            database,
            ipfs,
        } = self;
        let config = LibraryConfig {
            folder: folder.path().join("data"),
            database: database.as_ref().map(|database| database.url.clone()),
            is_creating: false,
            confined_program: Some(env!("CARGO_BIN_EXE_confined-for-server-tests").into()),
            uploads: UploadLimits::default(),
            store: StoreConfig::default(),
            ipfs: ipfs.clone(),
            models: ModelsConfig::default(),
        };
        library.close().await;
        drop((library, old_router));
        let library = Library::open(&config).await.unwrap();
        Self {
            router: router(library.clone(), Door::Known(Actor::Operator)),
            library,
            folder,
            database,
            ipfs,
        }
    }

    /// The catalogue, beside the library that is open.
    pub(crate) async fn db(&self) -> Db {
        let location = match &self.database {
            Some(database) => Location::Url(database.url.clone()),
            None => Location::File(self.library.folder().join("catalogue.db")),
        };
        Db::open_existing(&location).await.unwrap()
    }

    /// The family whose library it is.
    pub(crate) async fn family(&self) -> Family {
        let db = self.db().await;
        let family = db.get_or_create_family("Family").await.unwrap();
        db.close().await;
        family
    }

    /// A folder with originals: two photographs with dates and cameras, one without, a recording.
    pub(crate) fn pictures(&self) -> PathBuf {
        let root = self.folder.path().join("Pictures");
        fs::create_dir_all(root.join("Am Meer")).unwrap();
        let taken = |at: &str| Options {
            taken: Some(at.to_owned()),
            make: Some("Canon".to_owned()),
            model: Some("EOS 70D".to_owned()),
            ..Options::default()
        };
        let files = [
            (
                "Am Meer/Strand.jpg",
                jpeg::tiny(1, &taken("1974:07:01 10:00:00")),
            ),
            (
                "Am Meer/Düne.jpg",
                jpeg::tiny(2, &taken("1980:08:02 11:30:00")),
            ),
            ("no date.jpg", jpeg::tiny(3, &Options::default())),
            ("Oma erzählt.wav", wav::tiny(4)),
        ];
        for (name, bytes) in files {
            fs::write(root.join(name), bytes).unwrap();
        }
        root
    }

    /// A library in which [`pictures`](Self::pictures) are catalogued; gives the archive.
    pub(crate) async fn scanned(&self) -> Json {
        self.scan(&self.pictures()).await
    }

    /// Catalogues a folder and waits for the end; gives the archive.
    pub(crate) async fn scan(&self, root: &Path) -> Json {
        let archive = self
            .post("/api/v1/archives", &json!({ "path": root }))
            .await;
        assert!(archive.status < 300, "{archive:?}");
        let archive = archive.json();
        let path = format!("/api/v1/archives/{}/scans", archive["id"].as_str().unwrap());
        let run = self.post(&path, &json!({ "process": false })).await;
        assert_eq!(run.status, 201, "{run:?}");
        let run = self.wait(&run.json()).await;
        assert_eq!(run["state"], "done", "{run}");
        archive
    }

    /// Waits until a run has ended.
    pub(crate) async fn wait(&self, run: &Json) -> Json {
        let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
        for _ in 0..6000 {
            let run = self.get(&path).await.json();
            if ["done", "failed", "cancelled"].contains(&run["state"].as_str().unwrap()) {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the run did not end: {run}");
    }

    /// The id of the asset whose file is called so.
    pub(crate) async fn asset(&self, name: &str) -> String {
        let list = self.get("/api/v1/assets?limit=500").await.json();
        let items = list["items"].as_array().unwrap();
        let found = items.iter().find(|item| item["name"] == name);
        let found = found.unwrap_or_else(|| panic!("{name} is not in {list}"));
        found["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Json) -> Answer {
        self.ask("POST", path, &[], Some(body)).await
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Json>,
    ) -> Answer {
        ask(&self.router, method, path, headers, body).await
    }
}

/// What comes from an address that tells of events without end.
pub(crate) struct Events {
    body: axum::body::BodyDataStream,
    text: String,
}

/// One event.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) data: Json,
}

impl Home {
    /// Listens, perhaps from where it was left.
    pub(crate) async fn listen(&self, path: &str, last: Option<&str>) -> Events {
        let mut req = axum::http::Request::builder().uri(path);
        if let Some(last) = last {
            req = req.header("last-event-id", last);
        }
        let req = req.body(Body::empty()).unwrap();
        let res = self.router.clone().oneshot(req).await.unwrap();
        assert_eq!(res.status(), 200);
        assert_eq!(res.headers()["content-type"], "text/event-stream");
        Events {
            body: res.into_body().into_data_stream(),
            text: String::new(),
        }
    }
}

impl Events {
    /// The next event whose data are so.
    pub(crate) async fn wait_for(&mut self, is_so: impl Fn(&Json) -> bool) -> Event {
        let heard = async {
            loop {
                while let Some((event, rest)) = self.text.split_once("\n\n") {
                    let field = |name: &str| {
                        let mut lines = event.lines();
                        lines
                            .find_map(|line| line.strip_prefix(name))
                            .map(str::to_owned)
                    };
                    let (id, data) = (field("id: "), field("data: "));
                    self.text = rest.to_owned();
                    if let (Some(id), Some(data)) = (id, data) {
                        let data: Json = serde_json::from_str(&data).unwrap();
                        if is_so(&data) {
                            return Event { id, data };
                        }
                    }
                }
                let bytes = self.body.next().await.expect("events have no end").unwrap();
                self.text.push_str(std::str::from_utf8(&bytes).unwrap());
            }
        };
        let patience = Duration::from_secs(60);
        tokio::time::timeout(patience, heard)
            .await
            .expect("nothing of the kind was heard")
    }
}

/// Sends a request to a router, with JSON or nothing.
pub(crate) async fn ask(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Json>,
) -> Answer {
    let Some(body) = body else {
        return send(router, method, path, headers, Body::empty()).await;
    };
    let json = [("content-type", "application/json")];
    let headers = [headers, &json].concat();
    send(router, method, path, &headers, body.to_string().into()).await
}

/// Sends a request with a body of bytes.
pub(crate) async fn send(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Answer {
    let mut req = axum::http::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        req = req.header(*name, *value);
    }
    let res = router
        .clone()
        .oneshot(req.body(body).unwrap())
        .await
        .unwrap();
    let (parts, body) = res.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.to_vec(),
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{} {error}: {}", self.status, self.text());
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// That it was refused, with this status and code, in problem+json and with the request's id.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) -> Json {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(
            problem["request_id"],
            self.header("x-request-id"),
            "{problem}"
        );
        assert!(!problem["detail"].as_str().unwrap().is_empty(), "{problem}");
        problem
    }
}
