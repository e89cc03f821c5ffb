//! A SIP connection: reads messages, answers keep-alives, writes from a bounded queue.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc};
use tokio::time::Instant;
use wire::sip::Message;
use wire::stream::{Decoder, Event, MAX_BODY, MAX_HEAD};

/// Messages that may wait for a slow peer.
const QUEUE: usize = 1024;
/// Bytes that may wait for a client that is slow.
const CLIENT_BYTES: usize = 4 << 20;
/// Bytes that may wait on a link that many users share; what goes there waits for room.
const LINK_BYTES: usize = 64 << 20;
/// Messages are written together up to about this many bytes.
const TOGETHER: usize = 16 * 1024;
/// Bytes read at once: few from a connection that is mostly silent, more where more comes.
const READ: std::ops::Range<usize> = 1024..32 * 1024;
/// A message, or what is written together, that takes longer means that the peer does not read.
const WRITE: Duration = Duration::from_secs(30);
/// What still waits when a connection is closed is written within this time.
const FLUSH: Duration = Duration::from_secs(1);

static NEXT: AtomicU64 = AtomicU64::new(1);

/// When a silent connection is closed, and whether this end keeps it alive.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// A connection without any byte for this long is closed.
    pub idle: Duration,
    /// How often this end sends a keep-alive.
    pub ping: Option<Duration>,
}

impl Timing {
    /// A connection that the other end opened; its keep-alives come every 300 s at the latest.
    pub const ACCEPTED: Self = Self { idle: Duration::from_secs(900), ping: None };
    /// A connection that this end opened and keeps alive; what answers no keep-alive is gone.
    pub const OPENED: Self = Self { idle: Duration::from_secs(200), ping: Some(Duration::from_secs(60)) };
}

/// Why a message was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// Too much waits for the peer already.
    #[error("too much waits for the peer")]
    Full,
    /// The connection has ended.
    #[error("the connection has ended")]
    Closed,
    /// The peer's decoder would refuse it and close the connection.
    #[error("the message is too large")]
    TooLarge,
}

/// Bytes that wait, and the room that they take until they are written.
#[derive(Debug)]
struct Queued {
    bytes: Vec<u8>,
    room: OwnedSemaphorePermit,
}

/// The room that bytes take; what is larger than all the room takes a client's whole.
fn size(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len().min(CLIENT_BYTES)).unwrap_or(u32::MAX)
}

/// The sending half, cheap to clone.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Number of the connection in this process.
    pub id: u64,
    /// Its far end.
    pub remote: SocketAddr,
    /// Its near end.
    pub local: SocketAddr,
    sender: mpsc::Sender<Queued>,
    /// Bytes that may still be queued.
    room: Arc<Semaphore>,
    closing: Arc<Notify>,
    /// Bytes that may come without making up a message.
    patience: Arc<AtomicUsize>,
}

/// The bytes of a message, unless the decoder at the other end would close the connection over them.
fn bytes_of(m: &Message) -> Result<Vec<u8>, Unsent> {
    let body = match m {
        Message::Request(r) => r.body.len(),
        Message::Response(r) => r.body.len(),
    };
    let bytes = m.to_bytes();
    if body > MAX_BODY || bytes.len() - body > MAX_HEAD {
        tracing::warn!(bytes = bytes.len(), "a SIP message too large for any peer was not sent");
        return Err(Unsent::TooLarge);
    }
    Ok(bytes)
}

impl Peer {
    /// Queues a message.
    ///
    /// # Errors
    /// Why not.
    pub fn send(&self, m: &Message) -> Result<(), Unsent> {
        self.queue(bytes_of(m)?)
    }

    fn queue(&self, bytes: Vec<u8>) -> Result<(), Unsent> {
        let room = self.room.clone().try_acquire_many_owned(size(&bytes)).map_err(|e| match e {
            TryAcquireError::NoPermits => Unsent::Full,
            TryAcquireError::Closed => Unsent::Closed,
        })?;
        self.sender.try_send(Queued { bytes, room }).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => Unsent::Full,
            mpsc::error::TrySendError::Closed(_) => Unsent::Closed,
        })
    }

    async fn queue_soon(&self, bytes: Vec<u8>) -> Result<(), Unsent> {
        let room = self.room.clone().acquire_many_owned(size(&bytes)).await.map_err(|_| Unsent::Closed)?;
        self.sender.send(Queued { bytes, room }).await.map_err(|_| Unsent::Closed)
    }

    /// More may wait than for a client: the connection is a link that many users share. Said once, when it is accepted.
    pub fn widen(&self) {
        self.room.add_permits(LINK_BYTES - CLIENT_BYTES);
    }

    /// Queues a message, waiting for room no longer than `limit`.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_within(&self, m: &Message, limit: Duration) -> Result<(), Unsent> {
        match self.send(m) {
            Err(Unsent::Full) => {
                tokio::time::timeout(limit, self.deliver(m)).await.unwrap_or(Err(Unsent::Full))
            }
            sent => sent,
        }
    }

    /// Queues a message; who is too slow for it loses his connection, because a gap would go unnoticed.
    pub fn send_or_close(&self, m: &Message) -> bool {
        let sent = self.send(m);
        if sent == Err(Unsent::Full) {
            tracing::info!(remote = %self.remote, "a peer that does not read is disconnected");
            self.close();
        }
        sent.is_ok()
    }

    /// Queues a message when there is room, however long that takes: for links that many users share.
    ///
    /// # Errors
    /// When the connection has ended, or the message is too large.
    pub async fn deliver(&self, m: &Message) -> Result<(), Unsent> {
        self.queue_soon(bytes_of(m)?).await
    }

    /// As [`Self::deliver`], for a message that is written already: head, its length, and the whole.
    ///
    /// # Errors
    /// As there.
    pub async fn deliver_written(&self, head: usize, bytes: Vec<u8>) -> Result<(), Unsent> {
        if head > MAX_HEAD || bytes.len() - head > MAX_BODY {
            tracing::warn!(bytes = bytes.len(), "a SIP message too large for any peer was not sent");
            return Err(Unsent::TooLarge);
        }
        self.queue_soon(bytes).await
    }

    /// Queues a message that must not be lost, now or as soon as there is room.
    pub fn send_soon(&self, m: Message) {
        if self.send(&m) == Err(Unsent::Full) {
            let peer = self.clone();
            tokio::spawn(async move { peer.deliver(&m).await });
        }
    }

    /// Ends the connection after what is queued has been written.
    pub fn close(&self) {
        self.closing.notify_one();
    }

    /// How many bytes may be kept of a message that is not complete; a connection that passes it is closed.
    pub fn set_patience(&self, bytes: usize) {
        self.patience.store(bytes, Ordering::Relaxed);
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

/// The writing half. A write that is interrupted goes on where it stopped.
struct Outgoing<W> {
    half: W,
    queue: mpsc::Receiver<Queued>,
    bytes: Vec<u8>,
    written: usize,
    /// The room of what is being written.
    room: Option<OwnedSemaphorePermit>,
    /// How long that may take.
    limit: Duration,
}

impl<W: AsyncWrite + Unpin> Outgoing<W> {
    /// Writes until the queue has ended or the peer takes nothing any more.
    async fn run(&mut self) {
        loop {
            // For all of it: who takes a few bytes now and then does not read.
            let until = Instant::now() + self.limit;
            while self.written < self.bytes.len() {
                match tokio::time::timeout_at(until, self.half.write(&self.bytes[self.written..])).await {
                    Ok(Ok(n)) if n > 0 => self.written += n,
                    _ => return,
                }
            }
            if !matches!(tokio::time::timeout_at(until, self.half.flush()).await, Ok(Ok(()))) {
                return;
            }
            self.room = None;
            let Some(Queued { bytes, mut room }) = self.queue.recv().await else { return };
            self.bytes = bytes;
            self.written = 0;
            // What waits already goes along: one write and one record for many users' messages.
            while self.bytes.len() < TOGETHER
                && let Ok(more) = self.queue.try_recv()
            {
                self.bytes.extend_from_slice(&more.bytes);
                room.merge(more.room);
            }
            self.room = Some(room);
        }
    }
}

/// Starts a connection: its sending half and the future that reads until it ends.
pub fn start<S>(
    stream: S,
    remote: SocketAddr,
    local: SocketAddr,
    handler: Arc<dyn Handler>,
    timing: Timing,
) -> (Peer, impl Future<Output = ()> + Send)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (read, half) = tokio::io::split(stream);
    let (sender, queue) = mpsc::channel(QUEUE);
    let closing = Arc::new(Notify::new());
    let peer = Peer {
        id: NEXT.fetch_add(1, Ordering::Relaxed),
        remote,
        local,
        sender,
        room: Arc::new(Semaphore::new(CLIENT_BYTES)),
        closing,
        patience: Arc::new(AtomicUsize::new(usize::MAX)),
    };
    if timing.ping.is_some() {
        // Only links are opened from here.
        peer.widen();
    }
    let own = peer.clone();
    let work = async move {
        let mut out = Outgoing { half, queue, bytes: Vec::new(), written: 0, room: None, limit: WRITE };
        let broken = tokio::select! {
            () = read_loop(read, &own, &*handler, timing) => false,
            () = own.closing.notified() => false,
            () = keep_alive(&own, timing.ping) => false,
            () = out.run() => true,
        };
        // Nothing can be queued from now on.
        out.queue.close();
        own.room.close();
        handler.closed(&own).await;
        if !broken {
            // Closing politely is best effort.
            let _ = tokio::time::timeout(FLUSH, out.run()).await;
            let _ = tokio::time::timeout(FLUSH, out.half.shutdown()).await;
        }
    };
    (peer, work)
}

async fn keep_alive(peer: &Peer, every: Option<Duration>) {
    let Some(every) = every else { return std::future::pending().await };
    loop {
        tokio::time::sleep(every).await;
        // A full queue is traffic enough.
        let _ = peer.queue(b"\r\n\r\n".to_vec());
    }
}

async fn read_loop(mut half: impl AsyncRead + Unpin, peer: &Peer, handler: &dyn Handler, timing: Timing) {
    let mut decoder = Decoder::default();
    let mut buffer = vec![0; READ.start];
    let mut kept = 0;
    loop {
        loop {
            let event = decoder.next();
            if matches!(event, Ok(Some(_))) {
                kept = 0;
            } else if kept > peer.patience.load(Ordering::Relaxed) {
                tracing::debug!(remote = %peer.remote, "too much came that is no message");
                return;
            }
            match event {
                Ok(Some(Event::Message(m))) => handler.message(peer, m).await,
                Ok(Some(Event::KeepAlivePing)) => {
                    if peer.queue(b"\r\n".to_vec()).is_err() {
                        return;
                    }
                }
                Ok(Some(Event::KeepAlivePong)) => {}
                Ok(None) => break,
                Err(e) => {
                    // Whoever sends a request learns what is wrong with it; the next one may be sound.
                    let refusal = decoder.take_refusal();
                    let goes_on = refusal.as_ref().is_some_and(|(_, goes_on)| *goes_on);
                    let told = refusal.is_some_and(|(no, _)| peer.send(&Message::Response(no)).is_ok());
                    if !(told && goes_on) {
                        tracing::debug!(remote = %peer.remote, cause = %e, "a SIP connection is closed");
                        return;
                    }
                }
            }
        }
        // Where this end sends the keep-alives, a lone CRLF is an answer; two must not be read as a question.
        if timing.ping.is_some() {
            decoder.flush_keep_alive();
        }
        match tokio::time::timeout(timing.idle, half.read(&mut buffer)).await {
            Ok(Ok(n)) if n > 0 => {
                kept += n;
                decoder.push(&buffer[..n]);
                if n == buffer.len() && n < READ.end {
                    buffer.resize(n * 2, 0);
                }
            }
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::sip::Request;

    struct Nothing;

    #[async_trait]
    impl Handler for Nothing {
        fn accepted(&self, _: &Peer, _: &[String]) -> bool {
            true
        }
        async fn message(&self, _: &Peer, _: Message) {}
        async fn closed(&self, _: &Peer) {}
    }

    fn here() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 5061))
    }

    #[tokio::test]
    async fn a_link_that_is_kept_alive_outlives_its_idle_time() {
        let (near, mut far) = tokio::io::duplex(1024);
        let timing = Timing { idle: Duration::from_millis(400), ping: Some(Duration::from_millis(100)) };
        let (peer, work) = start(near, here(), here(), Arc::new(Nothing), timing);
        let task = tokio::spawn(work);
        // Ten keep-alives are more than twice the idle time.
        for _ in 0..10 {
            let mut ping = [0; 4];
            far.read_exact(&mut ping).await.unwrap();
            assert_eq!(&ping, b"\r\n\r\n");
            far.write_all(b"\r\n").await.unwrap();
        }
        assert!(!peer.is_closed());
        // Who stops answering is gone.
        task.await.unwrap();
        assert!(peer.is_closed());
    }

    #[tokio::test]
    async fn what_makes_up_no_message_is_not_kept_for_ever() {
        let (near, mut far) = tokio::io::duplex(1024);
        let (peer, work) = start(near, here(), here(), Arc::new(Nothing), Timing::ACCEPTED);
        peer.set_patience(10_000);
        let task = tokio::spawn(work);
        far.write_all(b"INFO sip:a@b SIP/2.0\r\nContent-Length: 1000000\r\n\r\n").await.unwrap();
        // The far end notices the close by a failed write or by its end.
        while far.write_all(&[b'x'; 1000]).await.is_ok() {}
        task.await.unwrap();
        assert!(peer.is_closed());
    }

    #[tokio::test]
    async fn a_message_waits_for_room_and_not_for_ever() {
        let (near, mut far) = tokio::io::duplex(64);
        let (peer, work) = start(near, here(), here(), Arc::new(Nothing), Timing::ACCEPTED);
        let small = Message::Request(Request::new("OPTIONS", "sip:a@b"));
        for _ in 0..QUEUE {
            assert_eq!(peer.send(&small), Ok(()));
        }
        let short = Duration::from_millis(20);
        assert_eq!(peer.send_within(&small, short).await, Err(Unsent::Full), "nobody reads");
        let limit = Duration::from_secs(30);
        let task = tokio::spawn(work);
        let mut all = vec![0; (QUEUE + 1) * small.to_bytes().len()];
        let (sent, read) = tokio::join!(peer.send_within(&small, limit), far.read_exact(&mut all));
        assert_eq!((sent, read.is_ok()), (Ok(()), true));
        peer.close();
        task.await.unwrap();
    }

    #[tokio::test]
    async fn full_and_too_large_are_told_apart_and_closing_writes_what_waits() {
        let (near, mut far) = tokio::io::duplex(64);
        let (peer, work) = start(near, here(), here(), Arc::new(Nothing), Timing::ACCEPTED);
        let small = Message::Request(Request::new("OPTIONS", "sip:a@b"));
        let mut large = Request::new("INFO", "sip:a@b");
        large.body = vec![b'x'; MAX_BODY + 1];
        assert_eq!(peer.send(&Message::Request(large)), Err(Unsent::TooLarge));
        for _ in 0..QUEUE {
            assert_eq!(peer.send(&small), Ok(()));
        }
        assert_eq!(peer.send(&small), Err(Unsent::Full));
        assert!(!peer.is_closed());
        peer.close();
        let task = tokio::spawn(work);
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), QUEUE * small.to_bytes().len());
        task.await.unwrap();
        assert_eq!(peer.send(&small), Err(Unsent::Closed));
    }

    #[tokio::test]
    async fn what_waits_has_a_bound_in_bytes_and_a_link_has_a_larger_one() {
        let mut large = Request::new("INFO", "sip:a@b");
        large.body = vec![b'x'; MAX_BODY - 1024];
        let large = Message::Request(large);
        let fits = |peer: &Peer| (0..QUEUE).take_while(|_| peer.send(&large).is_ok()).count();
        let (near, mut far) = tokio::io::duplex(1 << 20);
        let (peer, work) = start(near, here(), here(), Arc::new(Nothing), Timing::ACCEPTED);
        assert_eq!(fits(&peer), CLIENT_BYTES / MAX_BODY);
        assert_eq!(peer.send(&large), Err(Unsent::Full));
        // Room is free again when it was written, and who waits for it gets it.
        let task = tokio::spawn(work);
        let mut all = vec![0; (CLIENT_BYTES / MAX_BODY + 1) * large.to_bytes().len()];
        let (sent, read) = tokio::join!(peer.deliver(&large), far.read_exact(&mut all));
        assert_eq!((sent, read.is_ok()), (Ok(()), true));
        // Who waits when the connection ends is told.
        assert_eq!(fits(&peer), CLIENT_BYTES / MAX_BODY);
        drop(far);
        let _ = peer.deliver(&large).await;
        task.await.unwrap();
        assert_eq!(peer.deliver(&large).await, Err(Unsent::Closed));
        let (link, _work) = start(tokio::io::duplex(64).0, here(), here(), Arc::new(Nothing), Timing::OPENED);
        assert_eq!(fits(&link), LINK_BYTES / MAX_BODY);
    }

    #[tokio::test]
    async fn who_takes_a_few_bytes_now_and_then_does_not_read() {
        let (near, mut far) = tokio::io::duplex(64);
        let (_sender, queue) = mpsc::channel(1);
        let limit = Duration::from_millis(200);
        let bytes = vec![b'x'; 100_000];
        let mut out = Outgoing { half: near, queue, bytes, written: 0, room: None, limit };
        let dribble = async {
            let mut few = [0; 32];
            while far.read_exact(&mut few).await.is_ok() {
                tokio::time::sleep(limit / 10).await;
            }
        };
        // Each write makes progress; the message as a whole would take a minute.
        tokio::select! {
            () = out.run() => assert!(out.written > 0 && out.written < 100_000),
            () = dribble => panic!("the far end saw an end before the near one gave up"),
            () = tokio::time::sleep(Duration::from_secs(20)) => panic!("it is waited for"),
        }
    }
}
