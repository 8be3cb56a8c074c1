//! RFC 8656, section by section: the requirement is each test's first line. What browsers and
//! operators need beyond the letter has its own files.

#[path = "../machine/mod.rs"]
mod machine;

mod browser_contract;
mod drain;
mod lessons;
mod openings;
mod operator;
mod quotas;
mod s05_general;
mod s07_allocations;
mod s08_refresh;
mod s10_permissions;
mod s11_5_icmp;
mod s11_indications;
mod s12_channels;
