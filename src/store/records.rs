//! Records as versioned JSON: `{"v":1, …}`. A newer version's record is refused, never guessed at.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::StoreError;

/// What a tree holds, and in which version this program writes it.
pub(super) trait Record: Serialize + DeserializeOwned {
    const KIND: &'static str;
    const VERSION: u32;
}

#[derive(Serialize)]
struct Written<'a, T> {
    v: u32,
    #[serde(flatten)]
    record: &'a T,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

pub(super) fn encode<T: Record>(record: &T) -> Result<Vec<u8>, StoreError> {
    encode_as::<T>(record)
}

/// Encodes what looks like a `T` and need not be one.
pub(super) fn encode_as<T: Record>(record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(&Written { v: T::VERSION, record }).map_err(|error| unreadable::<T>(&error))
}

pub(super) fn decode<T: Record>(bytes: &[u8]) -> Result<T, StoreError> {
    let version: Version =
        serde_json::from_slice(bytes).map_err(|error| unreadable::<T>(&error))?;
    if version.v != T::VERSION {
        let why = format!(
            "it has version {}, this program knows version {}; run the newer program",
            version.v,
            T::VERSION
        );
        return Err(StoreError::Unreadable { kind: T::KIND, why });
    }
    serde_json::from_slice(bytes).map_err(|error| unreadable::<T>(&error))
}

// Only the place is told: the text around it may hold what nobody should read in a log.
fn unreadable<T: Record>(error: &serde_json::Error) -> StoreError {
    let why = format!("wrong at line {} column {}", error.line(), error.column());
    StoreError::Unreadable { kind: T::KIND, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    struct Thing {
        name: String,
    }

    impl Record for Thing {
        const KIND: &'static str = "thing";
        const VERSION: u32 = 2;
    }

    #[test]
    fn a_record_comes_back_as_it_was_written() {
        let thing = Thing { name: "a".into() };
        let bytes = encode(&thing).unwrap();
        assert!(bytes.starts_with(b"{\"v\":2,"));
        assert_eq!(decode::<Thing>(&bytes), Ok(thing));
    }

    #[test]
    fn another_version_is_refused_by_number() {
        let error = decode::<Thing>(b"{\"v\":3,\"name\":\"a\"}").unwrap_err();
        assert!(error.to_string().contains("version 3"), "{error}");
    }

    #[test]
    fn an_error_does_not_repeat_the_record() {
        let error = decode::<Thing>(b"{\"v\":2,\"name\":7,\"x\":\"hidden\"}").unwrap_err();
        assert!(!error.to_string().contains("hidden"), "{error}");
    }
}
