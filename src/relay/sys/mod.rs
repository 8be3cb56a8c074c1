//! The system calls of the packet path: the only place in the project with `unsafe` code.
//!
//! Each function is safe to call: what the kernel reads or writes is borrowed for the whole call.
//! Layouts that are bytes on both sides (socket addresses, control messages) are read and written
//! as bytes, without `unsafe`.

#![allow(unsafe_code)]

pub mod burst;
mod control;
mod errors;
mod letter;
mod name;
mod options;
mod poll;
mod receive;
mod send;

pub(super) use control::{Ancillary, SendControl};
pub(super) use errors::{IcmpError, next_error};
pub(super) use letter::Letter;
pub(super) use name::Name;
pub use options::raise_descriptor_limit;
pub(super) use options::{
    BUFFER_BYTES, Fragmenting, Granted, enlarge_buffers, granted_buffers, kernel_drops,
    on_any_datagram_socket, on_wildcard, receive_trains, report_icmp, set_fragmenting,
};
pub(super) use poll::{Epoll, Interest, Readiness, Waker};
pub(super) use receive::{Datagram, ReceiveBatch};
pub(super) use send::SendBatch;
