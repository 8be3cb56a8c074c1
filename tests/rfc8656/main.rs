//! RFC 8656, section by section: the requirement is each test's first line.

#[path = "../machine/mod.rs"]
mod machine;

mod s07_allocations;
