//! As much of an HTTP client as making rooms takes: one connection, JSON both ways.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};

use serde_json::Value;

use crate::connect::connect;

pub struct Http {
    stream: BufReader<TcpStream>,
    host: SocketAddr,
    key: String,
}

impl Http {
    pub fn open(server: SocketAddr, source: IpAddr, key: &str) -> Result<Self, String> {
        let stream = connect(server, source).map_err(|why| format!("{server}: {why}"))?;
        Ok(Self { stream: BufReader::new(stream), host: server, key: key.to_owned() })
    }

    pub fn post(&mut self, path: &str, body: &Value) -> Result<Value, String> {
        let failed = |why: std::io::Error| format!("POST {path}: {why}");
        let body = body.to_string();
        let proof = match self.key.as_str() {
            "" => String::new(),
            key => format!("Authorization: Bearer {key}\r\n"),
        };
        let (host, length) = (self.host, body.len());
        let head = "Content-Type: application/json\r\n";
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\n{proof}{head}Content-Length: {length}\r\n\r\n{body}"
        );
        self.stream.get_mut().write_all(request.as_bytes()).map_err(failed)?;
        let (status, body) = self.answer().map_err(failed)?;
        if !(200..300).contains(&status) {
            return Err(format!("POST {path}: {status} {}", String::from_utf8_lossy(&body)));
        }
        serde_json::from_slice(&body).map_err(|why| format!("POST {path}: {why}"))
    }

    /// The status and the body, whose length the server tells.
    fn answer(&mut self) -> std::io::Result<(u16, Vec<u8>)> {
        let (mut status, mut length) = (0, 0);
        for number in 0.. {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if number == 0 {
                status = line.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, body))
    }
}
