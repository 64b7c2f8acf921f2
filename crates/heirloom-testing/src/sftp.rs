//! A real `sshd` of its own for a test, run as whoever runs the test, on a loopback port, with keys made for it.
//! Nothing of the user's own configuration of `ssh` is read or written: a program under test finds another `ssh` first,
//! which is the real one with a configuration of its own.

use std::{
    env, fs,
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::process::{PATIENCE, free_address};

/// A running server. It stops when this is dropped.
#[derive(Debug)]
pub struct SshServer {
    child: Child,
    folder: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    /// Who may log in.
    pub user: String,
}

impl SshServer {
    /// A new server, whose files are in `folder`.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
        make_key(&folder.join("host"));
        make_key(&folder.join("user"));
        let public = fs::read_to_string(folder.join("user.pub")).unwrap();
        fs::write(folder.join("authorized"), public).unwrap();
        let address = free_address();
        let shown = folder.display();
        let server = format!(
            "ListenAddress {address}\nHostKey {shown}/host\nAuthorizedKeysFile {shown}/authorized\n\
             PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n\
             MaxStartups 100\nSubsystem sftp internal-sftp\n"
        );
        fs::write(folder.join("sshd_config"), server).unwrap();
        let host = fs::read_to_string(folder.join("host.pub")).unwrap();
        let known = format!("[127.0.0.1]:{} {host}", address.port());
        fs::write(folder.join("known_hosts"), known).unwrap();
        let client = format!(
            "IdentityFile {shown}/user\nIdentitiesOnly yes\nUserKnownHostsFile {shown}/known_hosts\n\
             GlobalKnownHostsFile /dev/null\n"
        );
        fs::write(folder.join("ssh_config"), client).unwrap();
        let script = format!(
            "#!/bin/sh\nexec {} -F {shown}/ssh_config \"$@\"\n",
            find("ssh")
        );
        let ssh = folder.join("bin/ssh");
        fs::write(&ssh, script).unwrap();
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
        // Where a server that root starts shuts up those who have not logged in yet.
        if rustix::process::geteuid().is_root() {
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let mut child = Command::new(find("sshd"))
            .args(["-D", "-e", "-f"])
            .arg(folder.join("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("log")).unwrap())
            .spawn()
            .expect("sshd can be started");
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "sshd ended: {}", log());
            assert!(
                started.elapsed() < PATIENCE,
                "sshd does not answer: {}",
                log()
            );
            thread::sleep(Duration::from_millis(20));
        }
        let whoami = Command::new("id").arg("-un").output().unwrap();
        Self {
            child,
            folder: folder.to_owned(),
            address,
            user: String::from_utf8(whoami.stdout).unwrap().trim().to_owned(),
        }
    }

    /// A folder below which this server is asked for what is there.
    #[must_use]
    pub fn url(&self, path: &Path) -> String {
        format!("sftp://{}@{}{}", self.user, self.address, path.display())
    }

    /// The variable `PATH` with which programs find the `ssh` that knows this server.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "it goes on to a child")]
    pub fn path(&self) -> String {
        let path = env::var("PATH").unwrap_or_default();
        format!("{}:{path}", self.folder.join("bin").display())
    }

    /// Lets nobody in any more.
    pub fn forget_keys(&self) {
        fs::write(self.folder.join("authorized"), "").unwrap();
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn make_key(file: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(file)
        .status()
        .expect("ssh-keygen can be started");
    assert!(made.success());
}

/// `sshd` has to be started by its whole path.
fn find(program: &str) -> String {
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    let mut paths = folders.iter().map(|folder| format!("{folder}/{program}"));
    paths
        .find(|path| Path::new(path).exists())
        .unwrap_or_else(|| panic!("{program} is missing: `./dev setup` installs it"))
}
