//! A small HTTP server that hooks are delivered to.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::house::PATIENCE;

/// One request.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub path: String,
    pub headers: HashMap<String, String>,
    pub text: String,
    pub body: Value,
    /// What it was answered.
    pub status: u16,
}

impl Delivery {
    pub fn kind(&self) -> &str {
        self.body["type"].as_str().expect("a type")
    }

    pub fn room(&self) -> &str {
        self.body["room"].as_str().unwrap_or_default()
    }
}

/// Decides what a delivery is answered; 0 is silence.
type Decide = Box<dyn Fn(&Delivery) -> u16 + Send + Sync>;

pub struct Receiver {
    pub address: SocketAddr,
    heard: Arc<(Mutex<Vec<Delivery>>, Condvar)>,
}

impl Receiver {
    /// One that likes everything.
    pub fn new() -> Self {
        Self::deciding(|_| 204)
    }

    pub fn deciding(decide: impl Fn(&Delivery) -> u16 + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a port"), decide)
    }

    pub fn on(
        listener: TcpListener,
        decide: impl Fn(&Delivery) -> u16 + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("bound");
        let heard = Arc::<(Mutex<Vec<Delivery>>, Condvar)>::default();
        let (decide, all): (Arc<Decide>, _) = (Arc::new(Box::new(decide)), Arc::clone(&heard));
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (decide, all) = (Arc::clone(&decide), Arc::clone(&all));
                std::thread::spawn(move || serve(socket, &decide, &all));
            }
        });
        Self { address, heard }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook?token=swordfish", self.address)
    }

    /// Waits until what was heard is enough; gives it back.
    pub fn wait_until(&self, enough: impl Fn(&[Delivery]) -> bool) -> Vec<Delivery> {
        let deadline = Instant::now() + PATIENCE;
        let (heard, bell) = &*self.heard;
        let mut heard = heard.lock().expect("whole");
        while !enough(&heard) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not enough: {heard:#?}");
            heard = bell.wait_timeout(heard, left).expect("whole").0;
        }
        heard.clone()
    }

    pub fn wait_for(&self, count: usize) -> Vec<Delivery> {
        self.wait_until(|heard| heard.len() >= count)
    }
}

fn serve(socket: TcpStream, decide: &Decide, all: &(Mutex<Vec<Delivery>>, Condvar)) {
    let Some(mut delivery) = read(&socket) else { return };
    delivery.status = decide(&delivery);
    let status = delivery.status;
    all.0.lock().expect("whole").push(delivery);
    all.1.notify_all();
    if status == 0 {
        std::thread::sleep(Duration::from_secs(300));
    }
    let _ = write!(&socket, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
}

fn read(socket: &TcpStream) -> Option<Delivery> {
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut text = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut text).ok()?;
    let text = String::from_utf8(text).ok()?;
    let body = serde_json::from_str(&text).ok()?;
    Some(Delivery { path, headers, text, body, status: 0 })
}
