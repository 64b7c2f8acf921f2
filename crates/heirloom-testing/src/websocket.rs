//! A WebSocket (RFC 6455) to a running server, as a browser opens one.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

use serde_json::Value as Json;

use crate::{http::Answer, process::PATIENCE};

/// An open one.
#[derive(Debug)]
pub struct WebSocket {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;

impl WebSocket {
    /// Opens one.
    ///
    /// # Errors
    /// What the server answers in its place.
    ///
    /// # Panics
    /// When nobody answers.
    pub fn open(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Self, Answer> {
        let mut writer = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
        writer.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut request = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        );
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        writer.write_all((request + "\r\n").as_bytes()).unwrap();
        let mut reader = BufReader::new(writer.try_clone().unwrap());
        let mut head = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(reader.read_line(&mut line).unwrap(), 0, "no answer: {head}");
            if line == "\r\n" {
                break;
            }
            head += &line;
        }
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut answer = Answer {
            status: status.unwrap(),
            head,
            body: Vec::new(),
        };
        if answer.status != 101 {
            let length: usize = answer.header("content-length").trim().parse().unwrap();
            answer.body = vec![0; length];
            reader.read_exact(&mut answer.body).unwrap();
            return Err(answer);
        }
        // As the standard has it for this key.
        assert_eq!(
            answer.header("sec-websocket-accept").trim(),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        Ok(Self { reader, writer })
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: &[u8]) {
        self.send_frame(BINARY, bytes);
    }

    /// Sends text.
    pub fn say(&mut self, text: &Json) {
        self.send_frame(TEXT, text.to_string().as_bytes());
    }

    /// The same connection, for another thread to send.
    ///
    /// # Panics
    /// When the system has no more descriptors.
    #[must_use]
    pub fn sender(&self) -> Self {
        let writer = self.writer.try_clone().unwrap();
        Self {
            reader: BufReader::new(writer.try_clone().unwrap()),
            writer,
        }
    }

    fn send_frame(&mut self, kind: u8, bytes: &[u8]) {
        let mask = [7, 11, 13, 17];
        let mut frame = vec![0x80 | kind];
        match bytes.len() {
            short @ 0..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
            middle @ 126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(middle).unwrap().to_be_bytes());
            }
            long => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend(mask);
        frame.extend(
            bytes
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        // Whoever refuses what was sent may be gone before all of it is.
        let _ = self.writer.write_all(&frame);
    }

    /// The next text that comes; `None` when the other end is done, or says nothing for [`PATIENCE`].
    ///
    /// # Panics
    /// When what comes is no JSON.
    pub fn receive(&mut self) -> Option<Json> {
        loop {
            let mut head = [0; 2];
            self.reader.read_exact(&mut head).ok()?;
            let length = match head[1] & 0x7f {
                126 => {
                    let mut length = [0; 2];
                    self.reader.read_exact(&mut length).unwrap();
                    u64::from(u16::from_be_bytes(length))
                }
                127 => {
                    let mut length = [0; 8];
                    self.reader.read_exact(&mut length).unwrap();
                    u64::from_be_bytes(length)
                }
                short => u64::from(short),
            };
            let mut bytes = vec![0; usize::try_from(length).unwrap()];
            self.reader.read_exact(&mut bytes).unwrap();
            match head[0] & 0x0f {
                TEXT => return Some(serde_json::from_slice(&bytes).unwrap()),
                CLOSE => return None,
                _ => {}
            }
        }
    }
}
