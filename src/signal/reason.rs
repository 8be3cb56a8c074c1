//! Why things end or are refused. Each has one stable word for programs.

use std::time::Duration;

use super::{Action, Leave};

/// An enum whose variants are words on the wire.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every variant.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable word for programs.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

words! {
    /// Why a connection is ended by the server.
    LeaveReason {
        /// The client asked for it.
        Left = "left",
        /// A newer connection of the same peer took over.
        Replaced = "replaced",
        /// It did not read what it was sent.
        Slow = "slow",
        /// Too many messages, or too many bad ones.
        Flood = "flood",
        /// A message was too large to be read at all.
        TooLarge = "too_large",
        /// A host said no.
        Denied = "denied",
        /// A host removed the peer.
        Kicked = "kicked",
        /// The room holds no more.
        RoomFull = "room_full",
        /// The room admits nobody.
        RoomLocked = "room_locked",
        /// There is no such room.
        NoSuchRoom = "no_such_room",
        /// The room ended.
        RoomClosed = "room_closed",
        /// No hello came in time, or something else came first.
        NoHello = "no_hello",
        /// The ticket is not good.
        Unauthorized = "unauthorized",
        /// The server ends.
        Shutdown = "shutdown",
        /// The server holds no more connections.
        Busy = "busy",
    }
}

words! {
    /// Why a peer is no longer in the room.
    LeftReason {
        /// It said goodbye.
        Left = "left",
        /// Its connection broke and it did not come back in time.
        Dropped = "dropped",
        /// It began anew on another connection; a `joined` follows.
        Replaced = "replaced",
        /// It did not read what it was sent.
        Slow = "slow",
        /// It flooded the server.
        Flood = "flood",
        /// A host removed it.
        Kicked = "kicked",
        /// A host did not let it in.
        Denied = "denied",
        /// The room ended; said in events alone, since everybody in it is told to leave.
        RoomClosed = "room_closed",
        /// The server ends; as before.
        Shutdown = "shutdown",
    }
}

words! {
    /// Why something a client asked for is refused.
    ErrorCode {
        /// No JSON object with the fields that its type has, and no others.
        BadMessage = "bad_message",
        /// A type this server does not know.
        UnknownType = "unknown_type",
        /// More bytes than `limits` says.
        TooLarge = "too_large",
        /// Deeper than `limits` says.
        TooDeep = "too_deep",
        /// A binary frame.
        Binary = "binary",
        /// Something other than hello came first, or nothing in time.
        HelloExpected = "hello_expected",
        /// A second hello.
        AlreadyJoined = "already_joined",
        /// The ticket is not good.
        Unauthorized = "unauthorized",
        /// Only a host may do this.
        Forbidden = "forbidden",
        /// The peer waits in the lobby and may only leave or ping.
        NotAdmitted = "not_admitted",
        /// There is no such room.
        NoSuchRoom = "no_such_room",
        /// Nobody of that name is in the room, or waits in it.
        NoSuchPeer = "no_such_peer",
        /// The room, or its lobby, holds no more.
        RoomFull = "room_full",
        /// The room admits nobody.
        RoomLocked = "room_locked",
        /// A host removed this peer from the room.
        Kicked = "kicked",
        /// Too many messages, or too many bad ones.
        Flood = "flood",
        /// The server holds no more connections, or ends.
        Busy = "busy",
    }
}

words! {
    /// Why a room ends.
    CloseReason {
        /// Somebody who may ended it.
        Asked = "asked",
        /// Nobody was in it for its idle time.
        Idle = "idle",
        /// Nobody in it said anything for [`HubLimits::silence`](super::HubLimits::silence).
        Silent = "silent",
        /// Its time was over.
        Expired = "expired",
    }
}

impl LeaveReason {
    /// The whole message for this reason; `retry_after` is added where one applies.
    pub const fn leave(self) -> Leave {
        let action = match self {
            Self::Slow => Action::Resume,
            Self::Flood | Self::TooLarge | Self::Shutdown | Self::NoHello | Self::Busy => {
                Action::Reconnect
            }
            _ => Action::Stop,
        };
        Leave { reason: self, action, retry_after: None }
    }

    /// As [`leave`](Self::leave), not before `pause` has passed.
    pub const fn leave_for(self, pause: Duration) -> Leave {
        Leave { retry_after: Some(pause), ..self.leave() }
    }
}

impl Action {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Resume => "resume",
            Self::Reconnect => "reconnect",
        }
    }
}
