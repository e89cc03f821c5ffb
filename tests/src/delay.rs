//! A line that takes its time: every byte arrives, later.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Passes on what `from` says to `to`, so much later; in order, and without waiting for what is under way.
async fn later(
    mut from: impl AsyncRead + Unpin + Send + 'static,
    mut to: impl AsyncWrite + Unpin,
    delay: Duration,
) -> Result<()> {
    let (send, mut due) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(n) = from.read(&mut buffer).await {
            if n == 0 || send.send((Instant::now() + delay, buffer[..n].to_vec())).is_err() {
                return;
            }
        }
    });
    while let Some((at, bytes)) = due.recv().await {
        sleep_until(at).await;
        to.write_all(&bytes).await?;
    }
    Ok(to.shutdown().await?)
}

/// Listens at `at` and passes connections on to `to`; a round trip takes twice `delay` longer.
///
/// # Errors
/// The address is in use.
pub async fn line(at: SocketAddr, to: SocketAddr, delay: Duration) -> Result<()> {
    let l = TcpListener::bind(at).await?;
    tokio::spawn(async move {
        while let Ok((near, _)) = l.accept().await {
            tokio::spawn(async move {
                let far = TcpStream::connect(to).await?;
                near.set_nodelay(true)?;
                far.set_nodelay(true)?;
                let (from_near, to_near) = near.into_split();
                let (from_far, to_far) = far.into_split();
                tokio::try_join!(later(from_near, to_far, delay), later(from_far, to_near, delay))?;
                anyhow::Ok(())
            });
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everything_arrives_and_a_round_trip_takes_twice_the_delay() {
        let echo = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = echo.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut s, _) = echo.accept().await.unwrap();
            let (mut r, mut w) = s.split();
            tokio::io::copy(&mut r, &mut w).await.unwrap();
        });
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        line(free, to, Duration::from_millis(50)).await.unwrap();
        let mut s = TcpStream::connect(free).await.unwrap();
        let begun = Instant::now();
        s.write_all(b"there and back").await.unwrap();
        let mut back = [0; 14];
        s.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"there and back");
        assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
    }
}
