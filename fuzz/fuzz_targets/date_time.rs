#![no_main]

#[path = "../../tests/fuzz_bodies/date_time.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
