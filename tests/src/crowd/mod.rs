//! Many people in rooms, for measurements: each one is a task with one connection, and as little work as his
//! protocol allows, so that what is measured is the service. Ours and an XMPP server's are loaded by the same code.

pub mod long_room;
pub mod services;
pub mod sip;
pub mod stats;
pub mod xmpp;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

pub use stats::Stats;

/// How many sign on or join at the same time.
const AT_ONCE: usize = 32;
/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(60);
/// Longest wait for what is still to be delivered.
const DRAIN: Duration = Duration::from_secs(60);
/// Connections from one address, so that no address runs out of ports.
const PER_ADDRESS: usize = 200;

/// How one person speaks with a service.
pub trait Speech: Send + Sync + 'static {
    /// What is sent to post a text in the joined room.
    fn post(&mut self, text: &str) -> Vec<u8>;
    /// Takes whole messages off the front of `input`; what must be answered goes to `output`, each text told to `told`.
    ///
    /// # Errors
    /// The service has refused something.
    fn take(&mut self, input: &mut Vec<u8>, output: &mut Vec<u8>, told: &mut dyn FnMut(Mark)) -> Result<()>;
}

/// A service that is loaded.
pub trait Service: Send + Sync + 'static {
    /// How its people speak.
    type Person: Speech;
    /// Where it takes connections.
    fn at(&self) -> SocketAddr;
    /// Signs person `n` on, ready to join.
    fn sign_on(&self, line: &mut Line, n: usize) -> impl Future<Output = Result<Self::Person>> + Send;
    /// Joins a room.
    fn join(
        &self,
        line: &mut Line,
        who: &mut Self::Person,
        room: &str,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// A connection with what was read from it and not looked at yet.
pub struct Line {
    /// The connection.
    pub stream: TcpStream,
    /// What came.
    pub input: Vec<u8>,
}

impl Line {
    /// A connection to `at`, from an address of loopback's of its own for every few of them.
    async fn open(at: SocketAddr, n: usize) -> Result<Self> {
        let group = u16::try_from(n / PER_ADDRESS + 1)?.to_be_bytes();
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 78, group[0], group[1]], 0)))?;
        let stream = socket.connect(at).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, input: Vec::new() })
    }

    /// Sends.
    ///
    /// # Errors
    /// The connection has ended.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Reads more.
    ///
    /// # Errors
    /// The connection has ended, or nothing comes.
    pub async fn more(&mut self) -> Result<()> {
        let n = tokio::time::timeout(ANSWER, self.stream.read_buf(&mut self.input))
            .await
            .context("the service does not answer")??;
        ensure!(n > 0, "the service closed the connection");
        Ok(())
    }
}

/// What a text of ours carries: when it was posted, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Microseconds since the crowd's beginning.
    pub at: u64,
    /// Who.
    pub who: u32,
}

/// How a text of ours begins.
const SIGN: &[u8] = b"LG#";
/// The length of a mark.
const MARK: usize = SIGN.len() + 12 + 8;

impl Mark {
    /// As text.
    pub fn text(self) -> String {
        format!("LG#{:012x}{:08x}", self.at, self.who)
    }

    /// The first one in `bytes`, with what follows it.
    pub fn find(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut from = 0;
        while let Some(i) = position(&bytes[from..], SIGN) {
            let begin = from + i;
            let whole = bytes.get(begin..begin + MARK)?;
            let hex = |r: std::ops::Range<usize>| {
                std::str::from_utf8(&whole[r]).ok().and_then(|t| u64::from_str_radix(t, 16).ok())
            };
            if let (Some(at), Some(who)) = (hex(3..15), hex(15..23)) {
                return Some((Self { at, who: u32::try_from(who).ok()? }, begin + MARK));
            }
            from = begin + SIGN.len();
        }
        None
    }
}

/// Where `needle` begins in `haystack`.
pub fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(i) = haystack.get(from..)?.iter().position(|b| *b == first) {
        if haystack[from + i..].starts_with(needle) {
            return Some(from + i);
        }
        from += i + 1;
    }
    None
}

/// A person who has signed on.
struct Here<P> {
    line: Line,
    speech: P,
}

/// The people of a service.
pub struct Crowd<S: Service> {
    service: Arc<S>,
    begun: Instant,
    idle: Vec<(usize, Here<S::Person>)>,
}

/// Runs `f` for each of `all`, some at the same time.
async fn each<T, U, F>(all: Vec<T>, f: impl Fn(T) -> F) -> Result<Vec<U>>
where
    T: Send + 'static,
    U: Send + 'static,
    F: Future<Output = Result<U>> + Send + 'static,
{
    let mut running = JoinSet::new();
    let mut done = Vec::with_capacity(all.len());
    for one in all {
        if running.len() >= AT_ONCE {
            done.push(running.join_next().await.context("nothing runs")???);
        }
        running.spawn(f(one));
    }
    while let Some(one) = running.join_next().await {
        done.push(one??);
    }
    Ok(done)
}

impl<S: Service> Crowd<S> {
    /// Signs `count` people on; how long that took.
    ///
    /// # Errors
    /// One of them cannot.
    pub async fn sign_on(service: S, count: usize) -> Result<(Self, Duration)> {
        let service = Arc::new(service);
        let begun = Instant::now();
        let mut idle = each((0..count).collect(), |n| {
            let service = service.clone();
            async move {
                let mut line = Line::open(service.at(), n).await?;
                let speech = service.sign_on(&mut line, n).await.with_context(|| format!("person {n}"))?;
                Ok((n, Here { line, speech }))
            }
        })
        .await?;
        let taken = begun.elapsed();
        // From the end on they are taken for rooms: the first ones last.
        idle.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
        Ok((Self { service, begun, idle }, taken))
    }

    /// The next `count` of them join a room; how long that took.
    ///
    /// # Errors
    /// There are not so many, or one is refused.
    pub async fn enter(&mut self, room: &str, count: usize) -> Result<(Room, Duration)> {
        ensure!(self.idle.len() >= count, "only {} people are left", self.idle.len());
        let these = self.idle.split_off(self.idle.len() - count);
        let (stats, quiet) = (Arc::new(Stats::default()), Arc::new(AtomicBool::new(false)));
        let (begun, taken) = (self.begun, Instant::now());
        let (service, room) = (self.service.clone(), room.to_owned());
        let people = each(these, |(n, mut here)| {
            let (service, room, stats, quiet) = (service.clone(), room.clone(), stats.clone(), quiet.clone());
            async move {
                service
                    .join(&mut here.line, &mut here.speech, &room)
                    .await
                    .with_context(|| format!("person {n}"))?;
                let (orders, queue) = mpsc::unbounded_channel();
                let who = u32::try_from(n)?;
                let task = tokio::spawn(attend(here, who, begun, stats, quiet, queue));
                Ok(Person { orders, task })
            }
        })
        .await?;
        Ok((Room { people, stats, quiet }, taken.elapsed()))
    }

    /// Whoever joined nothing yet stays connected as long as this.
    pub fn left(&self) -> usize {
        self.idle.len()
    }
}

struct Person {
    orders: mpsc::UnboundedSender<()>,
    task: JoinHandle<Result<()>>,
}

/// A room with its people.
pub struct Room {
    people: Vec<Person>,
    stats: Arc<Stats>,
    quiet: Arc<AtomicBool>,
}

/// One person in a room: posts when told so, and again as soon as his own text came back unless it is quiet.
async fn attend<P: Speech>(
    mut here: Here<P>,
    who: u32,
    begun: Instant,
    stats: Arc<Stats>,
    quiet: Arc<AtomicBool>,
    mut orders: mpsc::UnboundedReceiver<()>,
) -> Result<()> {
    let now = || u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    let mut output = Vec::new();
    let mut chain = false;
    loop {
        let mut mine = false;
        here.speech.take(&mut here.line.input, &mut output, &mut |m| {
            stats.told(now().saturating_sub(m.at));
            mine |= m.who == who;
        })?;
        if mine && chain {
            chain = !quiet.load(Ordering::Relaxed);
            if chain {
                stats.posted();
                let text = Mark { at: now(), who }.text();
                output.extend(here.speech.post(&text));
            }
        }
        if !output.is_empty() {
            here.line.stream.write_all(&output).await?;
            output.clear();
        }
        // Room for a few messages at a time.
        here.line.input.reserve(4096);
        tokio::select! {
            n = here.line.stream.read_buf(&mut here.line.input) => {
                ensure!(n? > 0, "the service closed the connection");
            }
            order = orders.recv() => {
                let Some(()) = order else { return Ok(()) };
                chain = !quiet.load(Ordering::Relaxed);
                let text = Mark { at: now(), who }.text();
                output.extend(here.speech.post(&text));
            }
        }
    }
}

/// What a time in a room gave.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Texts posted.
    pub posted: u64,
    /// Texts delivered.
    pub delivered: u64,
    /// Over this time, with what was still under way when the last was posted.
    pub seconds: f64,
    /// Median time from post to delivery.
    pub p50: Duration,
    /// Longest of 99 of 100.
    pub p99: Duration,
}

impl Room {
    /// How many are in it.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    fn say(&self, n: usize) -> Result<()> {
        let person = self.people.get(n % self.people.len()).context("nobody is here")?;
        ensure!(!person.task.is_finished(), "a person has lost his connection");
        // Counted here, so that what still waits for its person is known to come.
        self.stats.posted();
        person.orders.send(()).ok().context("a person has left")
    }

    /// Some talk as fast as they can: each posts again when his own text has come back.
    ///
    /// # Errors
    /// A text is lost or told twice, or a connection ends.
    pub async fn rush(&mut self, talkers: usize, time: Duration) -> Result<Measured> {
        self.stats.clear();
        self.quiet.store(false, Ordering::Relaxed);
        let begun = Instant::now();
        for n in 0..talkers {
            self.say(n * self.people.len() / talkers)?;
        }
        tokio::time::sleep(time).await;
        self.quiet.store(true, Ordering::Relaxed);
        self.settled(begun).await
    }

    /// Texts at a steady pace, whoever is behind.
    ///
    /// # Errors
    /// As [`Self::rush`].
    pub async fn pace(&mut self, per_second: f64, time: Duration) -> Result<Measured> {
        self.stats.clear();
        self.quiet.store(true, Ordering::Relaxed);
        let begun = Instant::now();
        let mut turn = tokio::time::interval(Duration::from_secs_f64(1.0 / per_second));
        turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
        let mut n = 0;
        while begun.elapsed() < time {
            turn.tick().await;
            self.say(n * 7)?;
            n += 1;
        }
        self.settled(begun).await
    }

    /// Waits until everyone was told everything.
    async fn settled(&mut self, begun: Instant) -> Result<Measured> {
        let patience = Instant::now();
        let mut last = Instant::now();
        let mut before = 0;
        let each = self.people.len() as u64;
        loop {
            let (posted, delivered) = self.stats.counts();
            if delivered != before {
                (before, last) = (delivered, Instant::now());
            }
            if delivered == posted * each && posted > 0 {
                // What comes twice comes at once; and an answer may just have been on its way.
                tokio::time::sleep(Duration::from_millis(50)).await;
                if self.stats.counts() == (posted, delivered) {
                    break;
                }
                continue;
            }
            if let Some(i) = self.people.iter().position(|p| p.task.is_finished()) {
                let gone = self.people.swap_remove(i);
                gone.task.await?.context("a person has lost his connection")?;
            }
            if delivered > posted * each || patience.elapsed() > DRAIN {
                bail!("{posted} texts for {each} people were told {delivered} times");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let (posted, delivered) = self.stats.counts();
        let (p50, p99) = (self.stats.percentile(50), self.stats.percentile(99));
        Ok(Measured { posted, delivered, seconds: last.duration_since(begun).as_secs_f64(), p50, p99 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_in_what_surrounds_it() {
        let m = Mark { at: 77, who: 5 };
        let text = format!("<b>LG#nothing LG# {} and more</b>", m.text());
        let (found, end) = Mark::find(text.as_bytes()).unwrap();
        assert_eq!(found, m);
        assert_eq!(&text.as_bytes()[end..], b" and more</b>");
        assert_eq!(Mark::find(&text.as_bytes()[end..]), None);
        assert_eq!(Mark::find(&m.text().as_bytes()[..10]), None);
    }
}
