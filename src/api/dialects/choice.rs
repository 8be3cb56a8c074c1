//! Which dialects are served, and which of them serve strangers: `[dialects]`.

/// A dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A thesis's `/token`, `/turn` and `/ws?token=`.
    Tunnel,
    /// Join codes, and a WebSocket on `/`.
    Pairing,
    /// FastAPI's `/auth/…` and `/ws/{room_id}`.
    Rooms,
    /// Polling with 64-character sessions.
    Meetings,
    /// `/client/meta`.
    ClientMeta,
    /// `/?service=turn`.
    TurnRest,
}

impl Dialect {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::Tunnel,
        Self::Pairing,
        Self::Rooms,
        Self::Meetings,
        Self::ClientMeta,
        Self::TurnRest,
    ];

    /// The word in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tunnel => "tunnel",
            Self::Pairing => "pairing",
            Self::Rooms => "rooms",
            Self::Meetings => "meetings",
            Self::ClientMeta => "client-meta",
            Self::TurnRest => "turn-rest",
        }
    }

    /// The dialect of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Some of the dialects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialects(u8);

impl Dialects {
    /// All of them.
    pub fn all() -> Self {
        Dialect::ALL.into_iter().collect()
    }

    /// Whether this one is among them.
    pub const fn contains(self, dialect: Dialect) -> bool {
        self.0 & dialect.bit() != 0
    }
}

impl FromIterator<Dialect> for Dialects {
    fn from_iter<I: IntoIterator<Item = Dialect>>(dialects: I) -> Self {
        Self(dialects.into_iter().fold(0, |bits, dialect| bits | dialect.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let some: Dialects = [Dialect::Rooms, Dialect::TurnRest].into_iter().collect();
        let held: Vec<_> = Dialect::ALL.into_iter().filter(|one| some.contains(*one)).collect();
        assert_eq!(held, [Dialect::Rooms, Dialect::TurnRest]);
        assert!(Dialect::ALL.into_iter().all(|one| Dialects::all().contains(one)));
    }

    #[test]
    fn every_dialect_is_found_by_its_name() {
        assert!(Dialect::ALL.into_iter().all(|one| Dialect::named(one.name()) == Some(one)));
        assert_eq!(Dialect::named("tunnels"), None);
    }
}
