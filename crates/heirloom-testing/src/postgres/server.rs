//! Starting, sharing and stopping the server process.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        net::UnixStream,
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::Durability;

const INSTALL: &str = "PostgreSQL 15 or newer is needed for the tests. Install its server with \
                       `apt-get install postgresql-15` (its system cluster is not used).";

/// How long the watchdog leaves an unused server running, in seconds.
const IDLE_SECONDS: u32 = 300;

/// One running server and this process' claim on it.
#[derive(Debug)]
pub(super) struct Server {
    folder: PathBuf,
    pub(super) account: Account,
    /// Held for as long as this process uses the server: the watchdog waits for it.
    _in_use: File,
}

/// Whom the server runs as: PostgreSQL refuses to run as root.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) name: String,
    /// User and group id to change to; absent where this process is not root.
    ids: Option<(u32, u32)>,
}

impl Server {
    pub(super) fn started(durability: Durability) -> Self {
        let account = Account::of_this_process();
        let folder = private_folder(durability);
        let in_use = File::create(folder.join("in-use")).unwrap();
        in_use.lock_shared().unwrap();
        fs::remove_file(folder.join("stop-when-idle")).ok();
        let server = Self {
            folder,
            account,
            _in_use: in_use,
        };
        let _one_at_a_time = server.lock("start");
        if !server.answers() {
            server.start(durability);
        }
        server
    }

    /// Takes the lock of that name among all test processes; dropping the file gives it back.
    pub(super) fn lock(&self, name: &str) -> File {
        let file = File::create(self.folder.join(format!("{name}.lock"))).unwrap();
        file.lock().unwrap();
        file
    }

    pub(super) fn socket_folder(&self) -> PathBuf {
        self.folder.join("server")
    }

    fn answers(&self) -> bool {
        UnixStream::connect(self.socket_folder().join(".s.PGSQL.5432")).is_ok()
    }

    fn start(&self, durability: Durability) {
        let home = self.socket_folder();
        if home.exists() {
            fs::remove_dir_all(&home).unwrap();
        }
        fs::create_dir(&home).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        if let Some((user, group)) = self.account.ids {
            chown(&home, Some(user), Some(group)).unwrap();
        }
        self.initialise(&home);
        fs::write(
            home.join("data/postgresql.auto.conf"),
            settings(&home, durability),
        )
        .unwrap();
        self.spawn_watched(&home);
        self.wait_until_it_answers(&home);
    }

    fn initialise(&self, home: &Path) {
        let output = self
            .command(&program("initdb"), home)
            .args([
                "--no-sync",
                "--no-instructions",
                "--auth=trust",
                "--encoding=UTF8",
            ])
            .args(["--locale=C", "--username", &self.account.name, "--pgdata"])
            .arg(home.join("data"))
            .output()
            .unwrap_or_else(|error| panic!("initdb cannot be started ({error}). {INSTALL}"));
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "initdb failed: {error}");
    }

    /// The server as the child of a shell that outlives this process and stops it when idle. Own
    /// process group and no inherited streams: a test runner neither waits for it nor kills it.
    fn spawn_watched(&self, home: &Path) {
        let log = File::create(home.join("log")).unwrap();
        let mut watchdog = Command::new("sh");
        watchdog
            .args(["-c", "sh -c \"$@\" &", "starter"])
            .args([include_str!("watchdog.sh"), "watchdog"])
            .arg(&self.folder)
            .arg(program("postgres"))
            .arg(IDLE_SECONDS.to_string())
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        if let Some((user, group)) = self.account.ids {
            watchdog.env("RUN_AS", format!("{user}:{group}"));
        }
        let status = watchdog.status().expect("sh can be started");
        assert!(status.success(), "the shell that starts PostgreSQL failed");
    }

    fn wait_until_it_answers(&self, home: &Path) {
        let started = Instant::now();
        while !self.ready() {
            if started.elapsed() > Duration::from_secs(60) {
                let log = fs::read_to_string(home.join("log")).unwrap_or_default();
                panic!("PostgreSQL did not start within a minute. Its log says:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A socket that accepts is not enough while the server still recovers: its own file tells.
    fn ready(&self) -> bool {
        let status = fs::read_to_string(self.socket_folder().join("data/postmaster.pid"));
        status.is_ok_and(|text| {
            text.lines()
                .nth(7)
                .is_some_and(|line| line.trim() == "ready")
        }) && self.answers()
    }

    fn command(&self, program: &Path, home: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(home)
            .stdin(Stdio::null())
            .env("LC_ALL", "C")
            .env("HOME", home);
        if let Some((user, group)) = self.account.ids {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Account {
    /// Root hands over to the user `postgres` that Debian's package makes, else to `nobody`.
    fn of_this_process() -> Self {
        let me = rustix::process::geteuid();
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let find = |wanted: &dyn Fn(&str, u32) -> bool| {
            accounts.lines().find_map(|line| {
                let mut fields = line.split(':');
                let name = fields.next()?;
                let user = fields.nth(1)?.parse().ok()?;
                let group = fields.next()?.parse().ok()?;
                wanted(name, user).then(|| (name.to_owned(), user, group))
            })
        };
        if !me.is_root() {
            let name = find(&|_, user| user == me.as_raw()).map(|found| found.0);
            return Self {
                name: name.unwrap_or_else(|| "postgres".to_owned()),
                ids: None,
            };
        }
        let (name, user, group) = find(&|name, _| name == "postgres")
            .or_else(|| find(&|name, _| name == "nobody"))
            .expect("PostgreSQL does not run as root, and there is no user postgres or nobody");
        Self {
            name,
            ids: Some((user, group)),
        }
    }
}

/// Where the newest installed PostgreSQL has that program; Debian keeps servers off the PATH.
pub(super) fn program(name: &str) -> PathBuf {
    let version = |folder: &PathBuf| -> Option<u32> { folder.file_name()?.to_str()?.parse().ok() };
    let installed = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    installed
        .map(|entry| entry.path())
        .filter(|folder| folder.join("bin/postgres").exists() && version(folder) >= Some(15))
        .max_by_key(version)
        .map(|folder| folder.join("bin").join(name))
        .unwrap_or_else(|| panic!("PostgreSQL was not found. {INSTALL}"))
}

/// A folder in the temporary folder that belongs to this user and nobody else may write to.
fn private_folder(durability: Durability) -> PathBuf {
    let user = rustix::process::geteuid().as_raw();
    let kind = match durability {
        Durability::Fast => "fast",
        Durability::Durable => "durable",
    };
    let folder = std::env::temp_dir().join(format!("heirloom-postgres-{user}-{kind}"));
    match fs::create_dir(&folder) {
        Ok(()) => fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap(),
        Err(error) => assert!(
            folder.is_dir(),
            "{} cannot be made: {error}",
            folder.display()
        ),
    }
    let owner = fs::symlink_metadata(&folder).unwrap().uid();
    assert_eq!(owner, user, "{} belongs to somebody else", folder.display());
    folder
}

fn settings(home: &Path, durability: Durability) -> Vec<u8> {
    let mut settings = Vec::new();
    let socket = home.display();
    writeln!(
        settings,
        "listen_addresses = ''\nunix_socket_directories = '{socket}'"
    )
    .unwrap();
    writeln!(
        settings,
        "max_connections = 400\nshared_buffers = 64MB\njit = off"
    )
    .unwrap();
    writeln!(settings, "timezone = 'UTC'\nlog_timezone = 'UTC'").unwrap();
    if durability == Durability::Fast {
        writeln!(settings, "fsync = off\nsynchronous_commit = off").unwrap();
        writeln!(settings, "full_page_writes = off\nmax_wal_size = 2GB").unwrap();
    }
    settings
}
