//! Clients of other systems, as their own documents describe them, over real loopback sockets.

mod bounds;
mod crossing;
#[allow(dead_code, reason = "the tests of the native API use all of it")]
#[path = "../http_api/http.rs"]
mod http;
#[allow(dead_code, reason = "the tests of the native API use all of it")]
#[path = "../http_api/relay.rs"]
mod relay;
mod rooms;
mod rooms_socket;
#[allow(dead_code, reason = "the tests of the native API use all of it")]
#[path = "../http_api/server.rs"]
mod server;
mod socket;
mod switches;
mod together;
mod tunnel;
mod tunnel_socket;
