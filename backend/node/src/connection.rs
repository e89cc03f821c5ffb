//! A SIP connection: reads messages, answers keep-alives, writes from a bounded queue.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use wire::sip::Message;
use wire::stream::{Decoder, Event};

/// Messages that may wait for a slow peer; a peer slower than that is dropped.
const QUEUE: usize = 1024;
/// A connection without any byte for this long is closed; keep-alives come every 300 s at the latest.
const IDLE: Duration = Duration::from_secs(900);
/// A write that takes longer means that the peer has stopped reading.
const WRITE: Duration = Duration::from_secs(30);

static NEXT: AtomicU64 = AtomicU64::new(1);

/// The sending half, cheap to clone.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Number of the connection in this process.
    pub id: u64,
    /// Its far end.
    pub remote: SocketAddr,
    /// Its near end.
    pub local: SocketAddr,
    sender: mpsc::Sender<Vec<u8>>,
}

impl Peer {
    /// Queues a message; false when the connection is closed or too slow.
    pub fn send(&self, m: &Message) -> bool {
        self.sender.try_send(m.to_bytes()).is_ok()
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

/// What is done with messages.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// A connection was accepted; `names` are those of its certificate. False refuses it.
    fn accepted(&self, peer: &Peer, names: &[String]) -> bool;
    /// A message came.
    async fn message(&self, peer: &Peer, message: Message);
    /// The connection has ended.
    async fn closed(&self, peer: &Peer);
}

async fn write_loop(mut half: impl AsyncWrite + Unpin, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = queue.recv().await {
        let work = async {
            half.write_all(&bytes).await?;
            half.flush().await
        };
        if !matches!(tokio::time::timeout(WRITE, work).await, Ok(Ok(()))) {
            return;
        }
    }
    // Closing politely is best effort.
    let _ = half.shutdown().await;
}

/// Starts a connection: its sending half and the future that reads until it ends.
pub fn start<S>(
    stream: S,
    remote: SocketAddr,
    local: SocketAddr,
    handler: std::sync::Arc<dyn Handler>,
) -> (Peer, impl Future<Output = ()> + Send)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (read, write) = tokio::io::split(stream);
    let (sender, queue) = mpsc::channel(QUEUE);
    let peer = Peer { id: NEXT.fetch_add(1, Ordering::Relaxed), remote, local, sender };
    let own = peer.clone();
    let work = async move {
        let writer = write_loop(write, queue);
        tokio::pin!(writer);
        tokio::select! {
            () = read_loop(read, &own, &*handler) => {}
            () = &mut writer => {}
        }
        handler.closed(&own).await;
    };
    (peer, work)
}

async fn read_loop(mut half: impl AsyncRead + Unpin, peer: &Peer, handler: &dyn Handler) {
    let mut decoder = Decoder::default();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        loop {
            match decoder.next() {
                Ok(Some(Event::Message(m))) => handler.message(peer, m).await,
                Ok(Some(Event::KeepAlivePing)) => {
                    if peer.sender.try_send(b"\r\n".to_vec()).is_err() {
                        return;
                    }
                }
                Ok(Some(Event::KeepAlivePong)) => {}
                Ok(None) => break,
                Err(e) => {
                    tracing::debug!(remote = %peer.remote, cause = %e, "a SIP connection is closed");
                    return;
                }
            }
        }
        match tokio::time::timeout(IDLE, half.read(&mut buffer)).await {
            Ok(Ok(n)) if n > 0 => decoder.push(&buffer[..n]),
            _ => return,
        }
    }
}
