//! Accepts connections. A request's head has a deadline and a largest size, so that neither dribbled nor idle
//! connections stay; how many there are at once is bounded by the files that the process may open.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::patient::Patient;
use super::tls::PortalTls;

/// How long a request's head may take to arrive; an idle connection is closed after it, too.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long an answer may wait for a client that takes nothing of it.
const UNREAD: Duration = Duration::from_secs(30);
/// Largest request line with headers, bytes.
const HEAD_BYTES: usize = 32 * 1024;
/// Header lines of a request at most.
const HEADERS: usize = 64;
/// Files that are not the portal's connections: databases, servers, their clients.
const OTHER_FILES: u64 = 512;
/// Connections at most, however many files there may be.
const CONNECTIONS: u64 = 16_384;

/// Raises the bound on open files to what the system allows; how many connections fit.
fn room() -> u32 {
    let limit = getrlimit(Resource::Nofile);
    // Refused in odd sandboxes; then the bound stays as it is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    u32::try_from(files.saturating_sub(OTHER_FILES).clamp(64, CONNECTIONS)).unwrap_or(64)
}

/// Serves until told to stop, then lets requests under way end.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<PortalTls>>,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let most = room();
    let free = Arc::new(Semaphore::new(most as usize));
    loop {
        let next = async {
            let permit = free.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            () = told(&mut stop) => break,
        };
        match (permit, accepted) {
            (Ok(permit), Ok((stream, peer))) => {
                let _ = stream.set_nodelay(true);
                let stream = Patient::new(stream, UNREAD);
                let (router, stop, tls) = (router.clone(), stop.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => connection(stream, peer, router, stop).await,
                        Some(tls) => {
                            let hands = TlsAcceptor::from(tls.config()).accept(stream);
                            // Who does not shake hands in time, or not at all, is let go.
                            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, hands).await {
                                connection(stream, peer, router, stop).await;
                            }
                        }
                    }
                    drop(permit);
                });
            }
            (_, Err(e))
                if e.kind() != ErrorKind::ConnectionAborted && e.kind() != ErrorKind::ConnectionReset =>
            {
                tracing::error!(cause = %e, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            _ => {}
        }
    }
    // All permits are back when the last connection has ended.
    let _ = free.acquire_many(most).await;
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let router = router.clone();
        async move { router.oneshot(request).await as Result<Response, Infallible> }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS);
    let mut ended = pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // What a client did wrong or left unfinished is its own affair.
        _ = ended.as_mut() => {}
        () = told(&mut stop) => {
            ended.as_mut().graceful_shutdown();
            let _ = ended.await;
        }
    }
}

async fn told(stop: &mut watch::Receiver<bool>) {
    // The sender gone is the end as well.
    let _ = stop.wait_for(|s| *s).await;
}
