//! A plain HTTP client for which every status is an answer.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

/// One HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The body as JSON; `Null` when it is none.
    pub json: Value,
    pub body: String,
}

impl Answer {
    /// The stable code of an error answer, `""` when there is none.
    pub fn error_code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    /// The answer itself if it has this status; panics with the body otherwise.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "unexpected answer: {}", self.body);
        self
    }

    /// A text at a JSON pointer; panics with the body if there is none.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> String {
        let value = self.json.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("no text at {pointer} in {}", self.body)).to_owned()
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(10)));
    ureq::Agent::new_with_config(config.build())
}

/// `GET`; the error is that of the network.
pub fn try_get(url: &str, bearer: Option<&str>) -> Result<Answer, ureq::Error> {
    let mut request = agent().get(url);
    if let Some(token) = bearer {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    read(request.call()?)
}

/// `POST` of JSON as some other client, for servers that trust loopback as their proxy: each call has
/// an address of its own, and with it rate limits of its own.
pub fn try_post_as_anybody(
    url: &str,
    bearer: Option<&str>,
    body: &Value,
) -> Result<Answer, ureq::Error> {
    static CALLS: AtomicU32 = AtomicU32::new(1);
    let [_, a, b, c] = CALLS.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let mut request = agent().post(url).header("X-Forwarded-For", format!("10.{a}.{b}.{c}"));
    if let Some(token) = bearer {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    read(request.send_json(body)?)
}

/// `POST` of JSON; the error is that of the network.
pub fn try_post(url: &str, bearer: Option<&str>, body: &Value) -> Result<Answer, ureq::Error> {
    let mut request = agent().post(url);
    if let Some(token) = bearer {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    read(request.send_json(body)?)
}

/// `GET`; panics when the network fails.
#[track_caller]
pub fn get(url: &str, bearer: Option<&str>) -> Answer {
    try_get(url, bearer).unwrap_or_else(|error| panic!("GET {url}: {error}"))
}

/// `PATCH`; panics when the network fails.
#[track_caller]
pub fn patch(url: &str, bearer: Option<&str>, body: &Value) -> Answer {
    let mut request = agent().patch(url);
    if let Some(token) = bearer {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let answer = request.send_json(body).and_then(read);
    answer.unwrap_or_else(|error| panic!("PATCH {url}: {error}"))
}

/// `POST`; panics when the network fails.
#[track_caller]
pub fn post(url: &str, bearer: Option<&str>, body: &Value) -> Answer {
    try_post(url, bearer, body).unwrap_or_else(|error| panic!("POST {url}: {error}"))
}

/// `DELETE`; panics when the network fails.
#[track_caller]
pub fn delete(url: &str, bearer: Option<&str>) -> Answer {
    let mut request = agent().delete(url);
    if let Some(token) = bearer {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let answer = request.call().and_then(read);
    answer.unwrap_or_else(|error| panic!("DELETE {url}: {error}"))
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let body = response.body_mut().read_to_string()?;
    let json = serde_json::from_str(&body).unwrap_or(Value::Null);
    Ok(Answer { status: response.status().as_u16(), json, body })
}
