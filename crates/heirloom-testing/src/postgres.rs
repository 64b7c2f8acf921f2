//! One private PostgreSQL for all test processes of this user, and a fresh database for each test.
//!
//! Test runners start a process per test, so no process can own the server. The first that asks
//! starts it in the temporary folder; each one that uses it holds a shared lock on `in-use`; a
//! watchdog stops the server and deletes its files once nobody has held that lock for a while, or
//! soon after somebody creates the file `stop-when-idle`. The server listens on a Unix socket
//! only, and the machine's own clusters are never touched.

mod server;

use std::{process::Command, sync::Arc};

use server::Server;

/// What happens to committed data when the machine (not the program) fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing is flushed to the disk: quick, and right for nearly every test.
    Fast,
    /// PostgreSQL's own defaults: for measurements that must count the disk.
    Durable,
}

/// A running PostgreSQL server; it stays while this value or any of its databases lives.
#[derive(Clone, Debug)]
pub struct Cluster {
    server: Arc<Server>,
}

/// An own database, dropped with all its connections when this value is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    /// Where to connect, with its Unix socket: `postgres://USER@localhost/NAME?host=FOLDER`.
    pub url: String,
    name: String,
    cluster: Cluster,
}

/// The shared server without durability, started if it is not running.
///
/// # Panics
/// When PostgreSQL is not installed or does not start.
#[must_use]
pub fn cluster() -> Cluster {
    cluster_with(Durability::Fast)
}

/// The shared server of that durability, started if it is not running.
///
/// # Panics
/// When PostgreSQL is not installed or does not start.
#[must_use]
pub fn cluster_with(durability: Durability) -> Cluster {
    Cluster {
        server: Arc::new(Server::started(durability)),
    }
}

/// A new empty database in the shared server.
///
/// # Panics
/// When PostgreSQL is not installed or does not start.
#[must_use]
pub fn database() -> TestDatabase {
    cluster().database()
}

/// A new copy of the database that `prepare` fills: see [`Cluster::database_like`].
///
/// # Panics
/// When PostgreSQL is not installed or does not start.
#[must_use]
pub fn database_like(key: &str, prepare: impl FnOnce(&str)) -> TestDatabase {
    cluster().database_like(key, prepare)
}

impl Cluster {
    /// A new empty database (UTF-8, collation `C`).
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn database(&self) -> TestDatabase {
        self.create("template0")
    }

    /// A new copy of a prepared database. `prepare` gets the address of an empty database and is
    /// called only when no process has prepared that `key` since the server started, so the key
    /// names the content: a hash of the migrations, say. Copying takes a few tens of milliseconds,
    /// however much was prepared. `prepare` must close its connections.
    ///
    /// # Panics
    /// When the server refuses or `prepare` panics.
    #[must_use]
    pub fn database_like(&self, key: &str, prepare: impl FnOnce(&str)) -> TestDatabase {
        let digest = blake3::hash(key.as_bytes()).to_hex();
        let template = format!("like_{}", &digest[..24]);
        let _one_at_a_time = self.server.lock(&template);
        let found = self.sql(
            "postgres",
            &format!("SELECT count(*) FROM pg_database WHERE datname = '{template}'"),
        );
        if found == "0" {
            let draft = self.create("template0");
            prepare(&draft.url);
            self.sql(
                "postgres",
                &format!("ALTER DATABASE {} RENAME TO {template}", draft.name),
            );
        }
        self.create(&template)
    }

    fn create(&self, template: &str) -> TestDatabase {
        let name = format!("t_{}", uuid::Uuid::now_v7().simple());
        self.sql(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE {template}"),
        );
        let user = &self.server.account.name;
        let folder = self.server.socket_folder();
        let url = format!(
            "postgres://{user}@localhost/{name}?host={}",
            folder.display()
        );
        TestDatabase {
            url,
            name,
            cluster: self.clone(),
        }
    }

    /// What `psql` prints for one statement: rows as lines, columns separated by `|`.
    fn sql(&self, database: &str, statement: &str) -> String {
        let output = Command::new(server::program("psql"))
            .args([
                "--no-psqlrc",
                "--quiet",
                "--no-align",
                "--tuples-only",
                "--no-password",
            ])
            .args([
                "--set",
                "ON_ERROR_STOP=1",
                "--dbname",
                database,
                "--command",
                statement,
            ])
            .args(["--username", &self.server.account.name, "--host"])
            .arg(self.server.socket_folder())
            .output()
            .expect("psql can be started");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "PostgreSQL refused {statement:?}: {error}"
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }
}

impl TestDatabase {
    /// Runs one statement from outside of the code under test and returns its rows as lines, with
    /// columns separated by `|`.
    ///
    /// # Panics
    /// When the statement fails.
    #[must_use]
    pub fn sql(&self, statement: &str) -> String {
        self.cluster.sql(&self.name, statement)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A draft that became a template is gone under this name, hence IF EXISTS. A server that
        // died takes its databases along, hence no panic.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            self.cluster.sql("postgres", &statement)
        }));
    }
}
