//! Frames: four bytes of length, then JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Why a frame did not come or go.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The connection.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Not what is understood here.
    #[error("a frame was not understood: {0}")]
    Json(#[from] serde_json::Error),
    /// Larger than agreed.
    #[error("a frame of {0} bytes is too large")]
    TooLarge(u64),
}

/// Reads one frame of at most `max` bytes. Memory grows with what really comes, not with what is announced.
///
/// # Errors
/// The connection ended, the frame is too large or not understood.
pub async fn read<T: DeserializeOwned>(r: &mut (impl AsyncRead + Unpin), max: u32) -> Result<T, FrameError> {
    let length = r.read_u32().await?;
    if length > max {
        return Err(FrameError::TooLarge(length.into()));
    }
    let mut body = Vec::with_capacity(usize::try_from(length.min(64 * 1024)).unwrap_or_default());
    let got = r.take(length.into()).read_to_end(&mut body).await?;
    if got != usize::try_from(length).unwrap_or(usize::MAX) {
        return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
    }
    Ok(serde_json::from_slice(&body)?)
}

/// Writes one frame.
///
/// # Errors
/// The connection's.
pub async fn write<T: Serialize>(w: &mut (impl AsyncWrite + Unpin), what: &T) -> Result<(), FrameError> {
    let body = serde_json::to_vec(what)?;
    let length = u32::try_from(body.len()).map_err(|_| FrameError::TooLarge(body.len() as u64))?;
    w.write_all(&length.to_be_bytes()).await?;
    w.write_all(&body).await?;
    Ok(w.flush().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_are_bounded_and_whole() {
        let mut bytes = Vec::new();
        write(&mut bytes, &vec!["one", "two"]).await.unwrap();
        let back: Vec<String> = read(&mut bytes.as_slice(), 100).await.unwrap();
        assert_eq!(back, ["one", "two"]);
        let small = read::<Vec<String>>(&mut bytes.as_slice(), 4).await;
        assert!(matches!(small, Err(FrameError::TooLarge(_))), "{small:?}");
        bytes.pop();
        assert!(matches!(read::<Vec<String>>(&mut bytes.as_slice(), 100).await, Err(FrameError::Io(_))));
        // A length without a body takes no memory and ends as what it is.
        let announced = [0x0f, 0xff, 0xff, 0xff];
        assert!(matches!(read::<String>(&mut announced.as_slice(), u32::MAX).await, Err(FrameError::Io(_))));
    }
}
