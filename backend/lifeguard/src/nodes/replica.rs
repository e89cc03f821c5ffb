//! What a node keeps on its disk: who it is, and the last replica, sealed with its key file.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use node::ca::Issued;
use node::remote::{IdentityRow, UserRow};
use serde::{Deserialize, Serialize};
use shared::deployment::Deployment;

use crate::clock::Entropy;
use crate::keys::Keys;
use crate::serve::Failed;

/// Who a node is.
#[derive(Clone, Serialize, Deserialize)]
pub struct Own {
    /// Its name.
    pub name: String,
    /// Where the portal is, `host:port`.
    pub portal: String,
    /// Its certificate and key.
    pub issued: Issued,
    /// The authority's certificate, DER in hexadecimal.
    pub authority: String,
}

/// What it runs, for whom, and with which certificates.
#[derive(Default, Serialize, Deserialize)]
pub struct Replica {
    /// The deployment as this node sees it.
    pub deployment: Deployment,
    /// Users.
    pub users: Vec<UserRow>,
    /// Certificates of its servers.
    pub identities: Vec<IdentityRow>,
}

/// A node's data directory.
pub struct Kept {
    dir: PathBuf,
    keys: Keys,
}

fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut f = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    f.write_all(bytes)?;
    f.sync_all()?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |d| fs::File::open(d)?.sync_all())
}

impl Kept {
    /// Of this directory.
    ///
    /// # Errors
    /// When its key file cannot be read or made.
    pub fn open(dir: &Path, entropy: &dyn Entropy) -> std::io::Result<Self> {
        Ok(Self { dir: dir.to_owned(), keys: Keys::open(&dir.join("secret.key"), entropy)? })
    }

    fn own_path(&self) -> PathBuf {
        self.dir.join("node.json")
    }

    fn replica_path(&self) -> PathBuf {
        self.dir.join("replica.sealed")
    }

    /// Who this node is; none before it has joined.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn own(&self) -> Result<Option<Own>, Failed> {
        match fs::read(self.own_path()) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Keeps who this node is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_own(&self, own: &Own) -> Result<(), Failed> {
        Ok(write_whole(&self.own_path(), &serde_json::to_vec(own)?)?)
    }

    /// The last replica; none when there is none that can be opened.
    pub fn replica(&self) -> Option<Replica> {
        let text = self.keys.open_text(&fs::read(self.replica_path()).ok()?)?;
        serde_json::from_str(&text).ok()
    }

    /// Keeps the replica.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_replica(&self, entropy: &dyn Entropy, r: &Replica) -> Result<(), Failed> {
        let sealed = self.keys.seal_text(entropy, &serde_json::to_string(r)?);
        Ok(write_whole(&self.replica_path(), &sealed)?)
    }

    /// Forgets everything: the node was removed.
    pub fn forget(&self) {
        for path in [self.replica_path(), self.own_path()] {
            if let Err(e) = fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), cause = %e, "a file of a removed node is still there");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    #[test]
    fn the_replica_is_sealed_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::open(dir.path(), &SystemEntropy).unwrap();
        let deployment = Deployment { generation: 7, ..Deployment::default() };
        let issued = Issued { certificate: "c0ffee".to_owned(), key: "5ec2e7".to_owned() };
        let identities = vec![IdentityRow { server: "s.contoso.com".to_owned(), issued, own: None }];
        kept.save_replica(&SystemEntropy, &Replica { deployment, users: Vec::new(), identities }).unwrap();
        let bytes = fs::read(kept.replica_path()).unwrap();
        assert!(!bytes.windows(6).any(|w| w == b"5ec2e7"), "a key lies there in plain");
        let again = Kept::open(dir.path(), &SystemEntropy).unwrap().replica().unwrap();
        assert_eq!((again.deployment.generation, again.identities.len()), (7, 1));
        fs::write(dir.path().join("secret.key"), [1; 32]).unwrap();
        assert!(Kept::open(dir.path(), &SystemEntropy).unwrap().replica().is_none());
    }
}
