//! Which pages may call: their origin is the server's own, or listed in `http.allowed_origins`.
//!
//! The same rule serves CORS and the WebSocket handshake. No `Origin` at all means no browser.

use axum::http::{HeaderMap, Uri, header};

/// Whether a request with these headers may come from where it says it does. `listed` are origins
/// as browsers write them (`https://app.example.org`), or `*` for every page there is. `public_url` is
/// where our own pages are, for proxies that do not pass the `Host` on; empty when not configured.
pub fn origin_allowed(headers: &HeaderMap, listed: &[String], public_url: &str) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (origin, more) = (origins.next(), origins.next());
    let Some(origin) = origin else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let public = public_url.parse::<Uri>().is_ok_and(|url| is_origin_of(origin, &url));
    more.is_none() && (public || is_listed(origin, listed) || is_own(origin, headers))
}

fn is_listed(origin: &str, listed: &[String]) -> bool {
    listed.iter().any(|one| one == "*" || one.trim_end_matches('/').eq_ignore_ascii_case(origin))
}

fn is_origin_of(origin: &str, url: &Uri) -> bool {
    let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else { return false };
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let authority = authority.as_str();
    let authority = authority.strip_suffix(default_port).unwrap_or(authority);
    origin.eq_ignore_ascii_case(&format!("{scheme}://{authority}"))
}

/// Same host and port as the request was sent to. The scheme is not compared: behind a proxy that
/// ends TLS the page is `https` and we are not.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else {
        return false;
    };
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let without_port = |name: &'_ str| name.strip_suffix(default_port).unwrap_or(name).to_owned();
    without_port(authority).eq_ignore_ascii_case(&without_port(host))
}

/// `scheme://host` as the client reached us, for links: `public_url` where it is configured, else
/// the `Host` header. `None` when that is no host.
pub(super) fn base_url(headers: &HeaderMap, public_url: &str, is_https: bool) -> Option<String> {
    if !public_url.is_empty() {
        return Some(public_url.trim_end_matches('/').to_owned());
    }
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let scheme = if is_https { "https" } else { "http" };
    let url: Uri = format!("{scheme}://{host}").parse().ok()?;
    // Nothing but host and port: no user, no path.
    let authority = url.authority().filter(|authority| !authority.as_str().contains('@'))?;
    (authority.as_str() == host).then(|| format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origin: &str, host: &str, listed: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        headers.insert(header::HOST, host.parse().unwrap());
        let listed: Vec<_> = listed.iter().map(|one| (*one).to_owned()).collect();
        origin_allowed(&headers, &listed, "https://calls.example:443/sub")
    }

    #[test]
    fn the_own_host_is_allowed_whatever_the_scheme() {
        assert!(allowed("http://h.example:8080", "h.example:8080", &[]));
        assert!(allowed("https://H.example", "h.example", &[]));
        assert!(allowed("https://h.example", "h.example:443", &[]));
        assert!(allowed("http://[::1]:8080", "[::1]:8080", &[]));
    }

    #[test]
    fn another_port_host_or_scheme_is_not_our_own() {
        assert!(!allowed("http://h.example:8081", "h.example:8080", &[]));
        assert!(!allowed("http://h.example.evil", "h.example", &[]));
        assert!(!allowed("null", "h.example", &[]));
        assert!(!allowed("chrome-extension://h.example", "h.example", &[]));
    }

    #[test]
    fn listed_origins_are_allowed_exactly() {
        let listed = ["https://app.example/"];
        assert!(allowed("https://app.example", "h.example", &listed));
        assert!(!allowed("http://app.example", "h.example", &listed));
        assert!(!allowed("https://app.example:444", "h.example", &listed));
        assert!(allowed("https://any.example", "h.example", &["*"]));
    }

    #[test]
    fn the_public_url_is_our_own_whatever_the_host() {
        assert!(allowed("https://calls.example", "127.0.0.1:8080", &[]));
        assert!(!allowed("http://calls.example", "127.0.0.1:8080", &[]));
        assert!(!allowed("https://calls.example:8443", "127.0.0.1:8080", &[]));
    }

    #[test]
    fn no_origin_is_no_browser() {
        assert!(origin_allowed(&HeaderMap::new(), &[], ""));
    }

    #[test]
    fn links_are_never_built_from_a_bent_host() {
        let base = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            base_url(&headers, "", false)
        };
        assert_eq!(base("h.example:8080").as_deref(), Some("http://h.example:8080"));
        assert_eq!(base("user@h.example"), None);
        assert_eq!(base("h.example/path"), None);
        assert_eq!(base("h.example#x"), None);
    }
}
