//! The HTTP API over real loopback sockets: each call, each refusal, and what survives a restart.

mod calls;
mod http;
mod ice;
mod invites;
mod lifecycle;
mod moderation;
mod origins;
mod pages;
mod proofs;
mod refusals;
mod rooms;
mod server;
mod signalling;
mod socket;
