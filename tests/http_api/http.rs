//! A client that sends exactly what it is told, one request a connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header; none when it is missing or stands there more than once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let values = self.all(name);
        if values.len() == 1 { Some(values[0]) } else { None }
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Status and code of an error, after looking at its shape.
    #[track_caller]
    pub fn error(&self) -> (u16, String) {
        let json = self.json();
        let error = json["error"].as_object().expect("an error object");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{json}");
        assert_eq!(json.as_object().unwrap().len(), 1, "{json}");
        (self.status, error["code"].as_str().expect("a code").to_owned())
    }
}

/// A request being put together.
#[derive(Clone)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    is_framed: bool,
    connection: &'static str,
}

pub fn get(path: &str) -> Request {
    request("GET", path)
}

pub fn post(path: &str) -> Request {
    request("POST", path)
}

pub fn patch(path: &str) -> Request {
    request("PATCH", path)
}

pub fn delete(path: &str) -> Request {
    request("DELETE", path)
}

pub fn request(method: &str, path: &str) -> Request {
    Request {
        method: method.into(),
        path: path.into(),
        headers: Vec::new(),
        body: Vec::new(),
        is_framed: false,
        connection: "close",
    }
}

impl Request {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub fn json(self, value: &Value) -> Self {
        self.header("Content-Type", "application/json").body(value.to_string().as_bytes())
    }

    pub fn body(mut self, bytes: &[u8]) -> Self {
        self.body = bytes.to_vec();
        self
    }

    /// A body without a length: framed by its own bytes.
    pub fn raw_body(mut self, bytes: &[u8]) -> Self {
        self.is_framed = true;
        self.body(bytes)
    }

    /// Asks for the connection to become another protocol's.
    pub fn upgrade(mut self) -> Self {
        self.connection = "Upgrade";
        self
    }

    /// Sends it and reads the answer to its end.
    #[track_caller]
    pub fn send(self, to: SocketAddr) -> Answer {
        let mut bytes = Vec::new();
        if let Err(error) = self.write(to).read_to_end(&mut bytes) {
            assert!(!bytes.is_empty(), "no answer: {error}");
        }
        parse(&bytes)
    }

    /// Sends it and reads the head of the answer alone.
    #[track_caller]
    pub fn head(self, to: SocketAddr) -> Answer {
        let mut stream = self.write(to);
        let (mut bytes, mut byte) = (Vec::new(), [0]);
        while !bytes.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            bytes.push(byte[0]);
        }
        parse(&bytes)
    }

    fn write(self, to: SocketAddr) -> TcpStream {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("Host: {to}\r\n");
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !self.body.is_empty() && !self.is_framed {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        head += &format!("Connection: {}\r\n\r\n", self.connection);
        let mut stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // A server that has refused already may have closed: what it said still counts.
        let _ = stream.write_all(&self.body);
        stream
    }
}

#[track_caller]
fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap_or((line.trim_end_matches(':'), "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Answer { status, headers, body: bytes[end + 4..].to_vec() }
}
