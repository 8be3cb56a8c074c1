//! The HTTP API over real loopback sockets: each call, each refusal, and what survives a restart.

mod admin;
mod auth;
mod calls;
mod checks;
mod crowds;
mod framing;
mod http;
mod ice;
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
mod sessions;
mod signalling;
mod slow;
mod socket;
