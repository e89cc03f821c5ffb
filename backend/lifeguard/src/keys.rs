//! The key file and what it protects: password hashes of portal accounts, sealed digest secrets of chat users.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce};
use node::traits::Ha1;
use serde::{Deserialize, Serialize};
use shared::SipUri;
use wire::digest::{Algorithm, ha1};

use crate::clock::Entropy;

/// The instance's secret key.
pub struct Keys {
    cipher: ChaCha20Poly1305,
}

#[derive(Serialize, Deserialize)]
struct Secret {
    sha256: bool,
    username: String,
    ha1: String,
}

impl Keys {
    /// Reads the key file, or makes it (32 random bytes, mode 0600).
    ///
    /// # Errors
    /// When it cannot be read, written, or has the wrong size.
    pub fn open(path: &Path, entropy: &dyn Entropy) -> std::io::Result<Self> {
        if !path.exists() {
            let mut key = [0; 32];
            entropy.fill(&mut key);
            let mut f = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            f.write_all(&key)?;
            f.sync_all()?;
        }
        let key: [u8; 32] = fs::read(path)?
            .try_into()
            .map_err(|_| std::io::Error::other(format!("{} is not a key of 32 bytes", path.display())))?;
        Ok(Self { cipher: ChaCha20Poly1305::new(&Key::from(key)) })
    }

    /// Digest secrets of a chat user, sealed for the store. Spellings: user part, SIP address without
    /// scheme, `DOMAIN\user` as typed and in lower case. The realm is the user's SIP domain.
    pub fn seal_secrets(&self, entropy: &dyn Entropy, sip: &SipUri, logon: &str, password: &str) -> Vec<u8> {
        let mut names =
            vec![sip.user().to_owned(), sip.as_str()[4..].to_owned(), logon.to_owned(), logon.to_lowercase()];
        names.dedup();
        let secrets: Vec<Secret> = [Algorithm::Sha256, Algorithm::Md5]
            .into_iter()
            .flat_map(|a| names.iter().map(move |n| (a, n)))
            .map(|(a, n)| Secret {
                sha256: a == Algorithm::Sha256,
                username: n.clone(),
                ha1: ha1(a, n, sip.domain(), password),
            })
            .collect();
        let plain = serde_json::to_vec(&secrets).expect("a list of texts serialises");
        let mut nonce = [0; 12];
        entropy.fill(&mut nonce);
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), plain.as_slice())
            .expect("encryption of a short text in memory does not fail");
        [nonce.as_slice(), sealed.as_slice()].concat()
    }

    /// Seals a text for the store.
    pub fn seal_text(&self, entropy: &dyn Entropy, text: &str) -> Vec<u8> {
        let mut nonce = [0; 12];
        entropy.fill(&mut nonce);
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), text.as_bytes())
            .expect("encryption of a short text in memory does not fail");
        [nonce.as_slice(), sealed.as_slice()].concat()
    }

    /// Opens a sealed text; none when it was sealed with another key or damaged.
    pub fn open_text(&self, sealed: &[u8]) -> Option<String> {
        let (nonce, body) = sealed.split_at_checked(12)?;
        let nonce = <[u8; 12]>::try_from(nonce).ok()?;
        String::from_utf8(self.cipher.decrypt(&Nonce::from(nonce), body).ok()?).ok()
    }

    /// Opens sealed secrets; empty when they were sealed with another key or damaged.
    pub fn open_secrets(&self, sealed: &[u8]) -> Vec<Ha1> {
        let Some((nonce, body)) = sealed.split_at_checked(12) else { return Vec::new() };
        let Ok(nonce) = <[u8; 12]>::try_from(nonce) else { return Vec::new() };
        let plain = self.cipher.decrypt(&Nonce::from(nonce), body).unwrap_or_default();
        let secrets: Vec<Secret> = serde_json::from_slice(&plain).unwrap_or_default();
        secrets
            .into_iter()
            .map(|s| Ha1 {
                algorithm: if s.sha256 { Algorithm::Sha256 } else { Algorithm::Md5 },
                username: s.username,
                ha1: s.ha1,
            })
            .collect()
    }
}

/// argon2id hash of a portal password, PHC text.
pub fn hash_password(entropy: &dyn Entropy, password: &str) -> String {
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .expect("default parameters and a 16-byte salt are valid")
        .to_string()
}

/// Whether `password` belongs to `hash`. Takes the same time for a wrong password as for a right one.
pub fn verify_password(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|h| Argon2::default().verify_password(password.as_bytes(), &h).is_ok())
}
