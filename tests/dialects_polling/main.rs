//! The dialects `pairing`, `meetings`, `client-meta` and `turn-rest`, each as its own system's client
//! speaks it: the documented sequence, each documented error, and what is not in the document.

#[path = "../http_api/http.rs"]
#[allow(dead_code, reason = "shared with another test binary")]
mod http;
#[path = "../http_api/relay.rs"]
#[allow(dead_code, reason = "shared with another test binary")]
mod relay;
#[path = "../http_api/server.rs"]
#[allow(dead_code, reason = "shared with another test binary")]
mod server;
#[path = "../support/mod.rs"]
mod support;

mod client_meta;
mod durable;
mod house;
mod meetings;
mod pairing_codes;
mod pairing_owners;
mod pairing_rooms;
mod pairing_socket;
mod pairing_trouble;
mod switches;
mod turn_rest;
