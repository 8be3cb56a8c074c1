//! HTTP and WebSocket.

pub mod signal;
