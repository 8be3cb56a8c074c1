//! The fuzz target of `X-Forwarded-For`, fed from here: it must hold without a fuzzer too.

#[path = "fuzz_bodies/forwarded.rs"]
mod forwarded;

use proptest::prelude::*;

proptest! {
    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        forwarded::run(&bytes);
    }

    #[test]
    fn what_looks_like_addresses_is_taken(text in "([0-9a-f:.\\[\\]]{0,12}[, \n]){0,40}") {
        forwarded::run(text.as_bytes());
    }
}
