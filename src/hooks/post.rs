//! One delivery: a connection of its own, one `POST`, the status. Redirects are not followed and what
//! the receiver says beside its status is not read.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, Request, StatusCode, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::HookAddress;

/// Bytes of status line and headers that are taken.
const MAX_ANSWER: usize = 16 * 1024;
/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 4;
/// For one of them to answer, while there are others.
const CONNECT: Duration = Duration::from_secs(3);

/// What is said beside the body.
pub(super) struct Letter<'a> {
    pub(super) id: u64,
    pub(super) kind: &'a str,
    pub(super) attempt: u32,
    pub(super) signature: String,
    pub(super) body: String,
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The receiver asks to be left alone for so long.
    pub(super) retry_after: Option<Duration>,
}

/// Whom to trust, asked of the system once.
///
/// # Errors
/// A sentence for the operator.
pub(super) fn trust() -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (taken, _) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(format!(
            "this system has no certificate authorities{why}: install ca-certificates, or name a \
             file of them in SSL_CERT_FILE"
        ));
    }
    trusting(roots)
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// Delivers once.
///
/// # Errors
/// Why there is no status, in words without secrets.
pub(super) async fn post(
    address: &HookAddress,
    trust: &Result<Arc<ClientConfig>, String>,
    letter: Letter<'_>,
    timeout: Duration,
) -> Result<Answer, String> {
    let delivery = async {
        let socket = connect(address).await.map_err(|error| format!("no connection: {error}"))?;
        if !address.tls {
            return exchange(socket, address, letter).await;
        }
        let config = Arc::clone(trust.as_ref().map_err(Clone::clone)?);
        let name = ServerName::try_from(address.host.clone())
            .map_err(|_| "the host is no name a certificate could have".to_owned())?;
        let socket = TlsConnector::from(config).connect(name, socket).await;
        exchange(socket.map_err(|error| format!("no TLS: {error}"))?, address, letter).await
    };
    match tokio::time::timeout(timeout, delivery).await {
        Ok(outcome) => outcome,
        Err(_) => Err(format!("no answer within {} s", timeout.as_secs())),
    }
}

async fn connect(address: &HookAddress) -> io::Result<TcpStream> {
    let found: Vec<_> = lookup_host((address.host.as_str(), address.port)).await?.collect();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for at in found.into_iter().take(MAX_ADDRESSES) {
        match tokio::time::timeout(CONNECT, TcpStream::connect(at)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => failure = error,
            Err(late) => failure = late.into(),
        }
    }
    Err(failure)
}

async fn exchange<S>(socket: S, address: &HookAddress, letter: Letter<'_>) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let request = request(address, letter).map_err(|_| "the URL cannot be asked for".to_owned())?;
    let failed = |error: hyper::Error| format!("the connection broke: {error}");
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_ANSWER)
        .handshake(TokioIo::new(socket))
        .await
        .map_err(failed)?;
    let mut connection = std::pin::pin!(connection);
    let mut answer = std::pin::pin!(sender.send_request(request));
    let answer = tokio::select! {
        answer = &mut answer => answer.map_err(failed)?,
        // It may end together with the answer, which then is there already.
        ended = &mut connection => match (answer.await, ended) {
            (Ok(answer), _) => answer,
            (Err(_), Err(error)) | (Err(error), Ok(())) => return Err(failed(error)),
        },
    };
    let retry_after = answer.headers().get(header::RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    // The connection, and a body that may still come, go with us.
    Ok(Answer { status: answer.status(), retry_after: retry_after.map(Duration::from_secs) })
}

fn request(
    address: &HookAddress,
    letter: Letter<'_>,
) -> Result<Request<String>, axum::http::Error> {
    let mut request = Request::post(address.target.expose())
        .header(header::HOST, &address.authority)
        .header(header::USER_AGENT, concat!("relayhouse/", env!("CARGO_PKG_VERSION")))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "close")
        .header("Relayhouse-Id", letter.id)
        .header("Relayhouse-Event", letter.kind)
        .header("Relayhouse-Attempt", letter.attempt)
        .header("Relayhouse-Signature", letter.signature);
    if let Some(authorization) = &address.authorization {
        let mut value = HeaderValue::from_str(authorization.expose())?;
        value.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, value);
    }
    request.body(letter.body)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use rustls::ServerConfig;

    use super::*;

    fn letter() -> Letter<'static> {
        let (signature, body) = ("t=1,v1=00".to_owned(), "{\"id\":7}".to_owned());
        Letter { id: 7, kind: "joined", attempt: 2, signature, body }
    }

    /// Answers one request with `answer`; gives back what was asked.
    fn receiver(answer: String) -> (u16, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let heard = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("a connection");
            let (mut heard, mut buffer) = (String::new(), [0; 1024]);
            while !heard.ends_with('}') {
                let count = socket.read(&mut buffer).expect("a request");
                heard.push_str(std::str::from_utf8(&buffer[..count]).expect("text"));
            }
            // A receiver that says much is cut off: that is not its failure.
            let _ = socket.write_all(answer.as_bytes());
            heard
        });
        (port, heard)
    }

    async fn post_to(url: &str, timeout: Duration) -> Result<Answer, String> {
        let address = HookAddress::parse(url).expect("an URL");
        post(&address, &Err("nobody".to_owned()), letter(), timeout).await
    }

    const SOON: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_delivery_is_one_post_with_all_its_headers() {
        let (port, heard) = receiver("HTTP/1.1 204 No Content\r\n\r\n".into());
        let url = format!("http://ann:secret@127.0.0.1:{port}/hook?token=x");
        let answer = post_to(&url, SOON).await.expect("a status");
        assert_eq!(answer, Answer { status: StatusCode::NO_CONTENT, retry_after: None });
        let heard = heard.join().expect("the receiver");
        assert!(heard.starts_with("POST /hook?token=x HTTP/1.1\r\n"), "{heard}");
        assert!(heard.ends_with("\r\n\r\n{\"id\":7}"), "{heard}");
        for header in [
            format!("host: 127.0.0.1:{port}"),
            "content-type: application/json".into(),
            "relayhouse-id: 7".into(),
            "relayhouse-event: joined".into(),
            "relayhouse-attempt: 2".into(),
            "relayhouse-signature: t=1,v1=00".into(),
            "authorization: Basic YW5uOnNlY3JldA==".into(),
            "content-length: 8".into(),
        ] {
            assert!(heard.contains(&format!("\r\n{header}\r\n")), "{header} is not in {heard}");
        }
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let (port, heard) = receiver(
            "HTTP/1.1 307 X\r\nLocation: http://[::1]:1/\r\nRetry-After: 9\r\n\r\n".into(),
        );
        let answer = post_to(&format!("http://127.0.0.1:{port}/"), SOON).await.expect("a status");
        assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(answer.retry_after, Some(Duration::from_secs(9)));
        heard.join().expect("the receiver");
    }

    #[tokio::test]
    async fn a_receiver_that_talks_without_end_is_not_listened_to() {
        let body = "x".repeat(8 * 1024 * 1024);
        let (port, _) =
            receiver(format!("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{body}"));
        let answer = post_to(&format!("http://127.0.0.1:{port}/"), SOON).await.expect("a status");
        assert_eq!(answer.status, StatusCode::OK);
        let (port, _) = receiver(format!("HTTP/1.1 200 OK\r\nX: {body}"));
        post_to(&format!("http://127.0.0.1:{port}/"), SOON).await.expect_err("no status");
    }

    #[tokio::test]
    async fn silence_has_an_end_and_nobody_there_is_said() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("bound"));
        let error = post_to(&url, Duration::from_secs(1)).await.expect_err("no status");
        assert_eq!(error, "no answer within 1 s");
        drop(listener);
        let error = post_to(&url, SOON).await.expect_err("no status");
        assert!(error.starts_with("no connection: "), "{error}");
    }

    #[tokio::test]
    async fn https_needs_a_certificate_of_somebody_trusted() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
        let certificate = made.cert.der().clone();
        let key = made.signing_key.serialize_der().try_into().expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .expect("a pair");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            while let Ok((socket, _)) = listener.accept().await {
                let Ok(mut socket) = acceptor.accept(socket).await else { continue };
                let _ = socket.read(&mut [0; 1024]).await;
                let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            }
        });
        let address = HookAddress::parse(&format!("https://localhost:{port}/")).expect("an URL");
        let mut roots = RootCertStore::empty();
        let nobody = trusting(roots.clone());
        let error = post(&address, &nobody, letter(), SOON).await.expect_err("not trusted");
        assert!(error.starts_with("no TLS: "), "{error}");
        roots.add(certificate).expect("a certificate");
        let answer = post(&address, &trusting(roots), letter(), SOON).await.expect("a status");
        assert_eq!(answer.status, StatusCode::OK);
    }
}
