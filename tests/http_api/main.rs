//! The HTTP API over real loopback sockets: each call, each refusal, and what survives a restart.

mod admin;
mod calls;
mod checks;
mod http;
mod invites;
mod lifecycle;
mod moderation;
mod origins;
mod pages;
mod proofs;
mod refusals;
mod relay;
mod rooms;
mod server;
mod signalling;
mod socket;
