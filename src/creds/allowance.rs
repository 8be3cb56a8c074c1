//! How much one credential may open in its whole life, written into its username: the password covers
//! it, so that nobody but a holder of the secret decides it, and no server has to remember who was
//! given what.

use std::fmt;

/// What a credential is good for. It stands at the end of a REST username's subject:
/// `alice;allocations=1`, `alice;sessions=1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// So many allocations, those that have ended included.
    Allocations(u32),
    /// So many sessions: however many allocations, as long as they are opened together.
    Sessions(u32),
}

impl Allowance {
    /// The subject of a username that says so.
    pub fn mark(self, subject: &str) -> String {
        format!("{subject};{self}")
    }

    /// The subject without its mark, and the mark. A number that cannot be read is none at all: what
    /// was meant to be limited is not opened to everybody by a slip of the pen.
    pub fn split(subject: &str) -> (&str, Option<Self>) {
        let marked = subject.rsplit_once(';').and_then(|(rest, mark)| {
            let (name, number) = mark.split_once('=')?;
            let digits = number.bytes().all(|byte| byte.is_ascii_digit());
            let number = number.parse().ok().filter(|_| digits).unwrap_or(0);
            match name {
                "allocations" => Some((rest, Some(Self::Allocations(number)))),
                "sessions" => Some((rest, Some(Self::Sessions(number)))),
                _ => None,
            }
        });
        marked.unwrap_or((subject, None))
    }
}

/// As it stands in a username.
impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allocations(number) => write!(f, "allocations={number}"),
            Self::Sessions(number) => write!(f, "sessions={number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Allowance::{Allocations, Sessions};
    use super::*;

    #[test]
    fn a_mark_stands_at_the_end_of_the_subject() {
        assert_eq!(Allocations(1).mark("alice"), "alice;allocations=1");
        assert_eq!(Allowance::split("alice;allocations=1"), ("alice", Some(Allocations(1))));
        assert_eq!(Allowance::split("alice;sessions=2"), ("alice", Some(Sessions(2))));
        assert_eq!(Allowance::split(";allocations=3"), ("", Some(Allocations(3))));
    }

    #[test]
    fn what_is_no_mark_belongs_to_the_subject() {
        for subject in ["alice", "a;b", "a;b=1", ";", "", "allocations=1", "a;allocations=1;b"] {
            assert_eq!(Allowance::split(subject), (subject, None), "{subject:?}");
        }
    }

    #[test]
    fn a_number_that_cannot_be_read_allows_nothing() {
        for number in ["", "x", "-1", "+1", "1 ", "4294967296"] {
            let subject = format!("alice;allocations={number}");
            assert_eq!(Allowance::split(&subject), ("alice", Some(Allocations(0))), "{number:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_marked_is_read_back(subject in any::<String>(), number: u32) {
            for allowance in [Allocations(number), Sessions(number)] {
                let marked = allowance.mark(&subject);
                prop_assert_eq!(Allowance::split(&marked), (&*subject, Some(allowance)));
            }
        }
    }
}
