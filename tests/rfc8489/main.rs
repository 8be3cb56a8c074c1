//! RFC 8489, section by section, as far as a server is asked: the requirement is each test's first
//! line. What TURN makes of it is in `tests/rfc8656`; the published vectors are in `tests/rfc5769.rs`.

#[path = "../machine/mod.rs"]
mod machine;

mod modern;
mod s05_message;
mod s06_base;
mod s07_fingerprint;
mod s09_2_long_term;
mod s09_2_reloads;
mod s09_2_waiting;
mod s12_binding;
mod s14_attributes;
