//! What a connection's first byte says, and where it goes from there (RFC 7983's idea, on streams).
//!
//! The first message of a STUN connection is STUN: ChannelData, whose first bytes are also the
//! letters of HTTP, needs a channel that was bound before.

/// What one listening address serves: the union of the configuration's lists that name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Serves {
    /// `listen.tcp`: STUN and TURN, in the clear and, where there is a certificate, over TLS.
    pub tcp: bool,
    /// `listen.tls`: STUN and TURN over TLS alone.
    pub tls: bool,
    /// `http.listen`: HTTP and WebSocket, in the clear and, where there is a certificate, over TLS.
    pub http: bool,
}

impl Serves {
    /// Everything that one of the two serves.
    pub fn and(self, other: Self) -> Self {
        Self {
            tcp: self.tcp || other.tcp,
            tls: self.tls || other.tls,
            http: self.http || other.http,
        }
    }

    /// Whether clients of the relay come here.
    pub fn relay(self) -> bool {
        self.tcp || self.tls
    }
}

/// What the byte was wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// It came as it is; `true` where a certificate is there to begin TLS with.
    Clear {
        /// Whether TLS can be spoken.
        certificate: bool,
    },
    /// It was decrypted.
    Tls,
}

/// Where a connection goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Into a TLS handshake; what comes out of it has a first byte of its own.
    Handshake,
    /// To the relay.
    Relay,
    /// To the API and its pages.
    Http,
    /// Nowhere: it is closed.
    Refused,
}

/// A TLS record of the handshake protocol (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;

/// The way of a connection whose first byte is `first`.
pub fn way(serves: Serves, layer: Layer, first: u8) -> Way {
    let relay = match layer {
        Layer::Clear { .. } => serves.tcp,
        Layer::Tls => serves.relay(),
    };
    match (first, layer) {
        (HANDSHAKE, Layer::Clear { certificate: true }) => Way::Handshake,
        (0..=3, _) if relay => Way::Relay,
        (b'A'..=b'Z' | b'a'..=b'z', _) if serves.http => Way::Http,
        _ => Way::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAR: Layer = Layer::Clear { certificate: true };
    const NO_CERTIFICATE: Layer = Layer::Clear { certificate: false };
    const TCP: Serves = Serves { tcp: true, tls: false, http: false };
    const TLS: Serves = Serves { tcp: false, tls: true, http: false };
    const HTTP: Serves = Serves { tcp: false, tls: false, http: true };

    #[test]
    fn stun_goes_where_it_is_served() {
        for first in 0..=3 {
            assert_eq!(way(TCP, CLEAR, first), Way::Relay);
            assert_eq!(way(TCP, Layer::Tls, first), Way::Relay);
            assert_eq!(way(TLS, Layer::Tls, first), Way::Relay);
            assert_eq!(way(TLS, CLEAR, first), Way::Refused, "listen.tls is never in the clear");
            assert_eq!(way(HTTP, CLEAR, first), Way::Refused);
            assert_eq!(way(HTTP, Layer::Tls, first), Way::Refused);
        }
    }

    #[test]
    fn http_goes_where_it_is_served() {
        for first in *b"GPHODgpz" {
            assert_eq!(way(HTTP, CLEAR, first), Way::Http);
            assert_eq!(way(HTTP, Layer::Tls, first), Way::Http);
            assert_eq!(way(TCP.and(TLS), CLEAR, first), Way::Refused);
            assert_eq!(way(TCP.and(TLS), Layer::Tls, first), Way::Refused);
        }
    }

    #[test]
    fn tls_needs_a_certificate_and_is_not_nested() {
        for serves in [TCP, TLS, HTTP] {
            assert_eq!(way(serves, CLEAR, 22), Way::Handshake);
            assert_eq!(way(serves, NO_CERTIFICATE, 22), Way::Refused);
            assert_eq!(way(serves, Layer::Tls, 22), Way::Refused);
        }
    }

    #[test]
    fn one_address_serves_everything_that_names_it() {
        let all = TCP.and(TLS).and(HTTP);
        assert_eq!(all, Serves { tcp: true, tls: true, http: true });
        assert_eq!((way(all, CLEAR, 0), way(all, CLEAR, b'G')), (Way::Relay, Way::Http));
    }

    #[test]
    fn nothing_else_goes_anywhere() {
        let all = TCP.and(TLS).and(HTTP);
        for first in [4, 13, 21, 23, b'0', b'@', b'[', 0x7F, 0x80, 0xFF] {
            assert_eq!(way(all, CLEAR, first), Way::Refused, "{first}");
        }
    }
}
