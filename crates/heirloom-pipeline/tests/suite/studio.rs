//! Films and recordings made for one test, and FFmpeg without confinement to compare with.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use heirloom_pipeline::{Ffmpeg, confinement::Confinement};
use tempfile::TempDir;

/// A folder for films, and what makes something of them.
pub(crate) struct Studio {
    folder: TempDir,
    pub(crate) ffmpeg: Ffmpeg,
}

impl Studio {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let confinement = Confinement::through(env!("CARGO_BIN_EXE_confined-for-tests"));
        Self {
            ffmpeg: Ffmpeg::new(confinement, folder.path().join("scratch")),
            folder,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a film or recording with those arguments.
    pub(crate) fn make(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let path = self.path(name);
        plain_ffmpeg(Stdio::null(), |command| {
            command.args(arguments).args(["-threads", "1"]).arg(&path);
        });
        path
    }

    /// The pixels of a picture: red, green and blue.
    pub(crate) fn pixels_of(&self, picture: File, size: (u32, u32)) -> Vec<u8> {
        let mut frames = self.frames_of_file(&picture, size);
        assert_eq!(frames.len(), 1);
        frames.pop().unwrap()
    }

    /// Each picture of a film, turned upright and scaled.
    pub(crate) fn frames_of(&self, path: &Path, size: (u32, u32)) -> Vec<Vec<u8>> {
        self.frames_of_file(&File::open(path).unwrap(), size)
    }

    pub(crate) fn frames_of_file(&self, file: &File, (width, height): (u32, u32)) -> Vec<Vec<u8>> {
        let pixels = plain_ffmpeg(file.try_clone().unwrap().into(), |command| {
            let scale = format!("scale={width}:{height}");
            command.args(["-i", "/proc/self/fd/0", "-map", "0:v:0", "-vf", &scale]);
            command.args([
                "-vsync",
                "passthrough",
                "-pix_fmt",
                "rgb24",
                "-f",
                "rawvideo",
                "-",
            ]);
        });
        let length = width as usize * height as usize * 3;
        assert_eq!(pixels.len() % length, 0, "a picture has another size");
        pixels.chunks(length).map(<[u8]>::to_vec).collect()
    }

    /// Nothing is left of the work.
    pub(crate) fn assert_clean(&self) {
        let left = fs::read_dir(self.path("scratch")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "something is left in the scratch folder");
    }
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn plain_ffmpeg(input: Stdio, arguments: impl FnOnce(&mut Command)) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y"]).stdin(input);
    arguments(&mut command);
    let output = command.output().unwrap_or_else(|error| {
        panic!("ffmpeg cannot be started ({error}): install the package ffmpeg")
    });
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
