//! What portal and node say to each other.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use shared::deployment::{Deployment, ServerReport};
use shared::{ObjectId, SipUri};

use super::acts::{Act, Did, HalfTold, Inquiry, Rehearsed, SideTold};
use super::errand::{Errand, Told};
use crate::administration::{Addin, Named, Retired, Usage};
use crate::ca::Issued;
use crate::roster::Presence;
use crate::traits::{Category, ChatUser, Committed, Ha1, NewPost, Room, StoreError, StoredMessage};
use wire::digest::Algorithm;

/// Version of this protocol.
pub const VERSION: u32 = 5;
/// The oldest version that is still spoken: the one before.
pub const OLDEST: u32 = if VERSION > 1 { VERSION - 1 } else { 1 };

/// From a node to the portal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToPortal {
    /// A new node with its one-time token.
    Join {
        /// Version of the protocol.
        version: u32,
        /// Secret part of the token.
        secret: String,
        /// Its public key in hexadecimal.
        public_key: String,
        /// The address its servers listen on; the one it connects from when left out.
        listen: Option<IpAddr>,
    },
    /// A node that has joined.
    Hello {
        /// Version of the protocol.
        version: u32,
        /// Name and version of its program.
        product: String,
        /// The address its servers listen on.
        listen: Option<IpAddr>,
        /// Knows groups and units as principals; others get the people instead.
        #[serde(default)]
        groups: bool,
    },
    /// What its servers do.
    Reports(Vec<ServerReport>),
    /// Who is in which room at its servers.
    Present {
        /// Pool.
        pool: ObjectId,
        /// What was said before is forgotten.
        reset: bool,
        /// Who.
        people: Vec<Presence>,
    },
    /// A question to a chat database.
    Call {
        /// Number of the question.
        id: u64,
        /// Pool.
        pool: ObjectId,
        /// Which opening of its database is meant.
        generation: u64,
        /// The question.
        call: Call,
    },
    /// Of a test message that the node runs.
    Test {
        /// Id of the run.
        run: String,
        /// What there is to tell.
        what: Told,
    },
    /// An act of an administrator; only from the portal to the node that owns the database. Since version 3.
    Act {
        /// Number of the question.
        id: u64,
        /// Pool.
        pool: ObjectId,
        /// Which opening of its database is meant.
        generation: u64,
        /// The act.
        act: Act,
    },
    /// A question about databases that a node keeps; only from the portal. Since version 3.
    Inquire {
        /// Number of the question.
        id: u64,
        /// The question.
        what: Inquiry,
    },
    /// The answer to [`ToNode::Inquire`].
    Inquired {
        /// Its number.
        id: u64,
        /// What came of it.
        result: Result<Reply, StoreError>,
    },
    /// Still there.
    Alive,
}

/// From the portal to a node.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToNode {
    /// The token was right.
    Joined {
        /// Name of the node.
        name: String,
        /// Its certificate, DER in hexadecimal.
        certificate: String,
        /// The authority's certificate.
        authority: String,
    },
    /// Not taken; the connection ends.
    Refused {
        /// Why.
        reason: String,
        /// The node does not belong to the deployment any more: it ends and forgets what it knows.
        removed: bool,
    },
    /// Taken.
    Welcome {
        /// Tells this process of the portal from an earlier one.
        boot: String,
        /// A renewed certificate.
        certificate: String,
    },
    /// Certificates of the servers that the node runs.
    Identities(Vec<IdentityRow>),
    /// What is to run, as the node sees it.
    Deployment(Box<Deployment>),
    /// Users: the first part of a whole list replaces what was known once the last part is there.
    Users {
        /// What is known is forgotten.
        first: bool,
        /// The list is complete.
        last: bool,
        /// New and changed ones.
        changed: Vec<UserRow>,
        /// Gone ones.
        removed: Vec<SipUri>,
    },
    /// The databases that are open, each with the number of its opening.
    Databases(Vec<(ObjectId, u64)>),
    /// Something was committed.
    Commit {
        /// Pool.
        pool: ObjectId,
        /// Opening of its database.
        generation: u64,
        /// What.
        what: Committed,
    },
    /// Who is in which room at the portal's servers and at other nodes'.
    Present {
        /// Pool.
        pool: ObjectId,
        /// What was said before is forgotten.
        reset: bool,
        /// Who.
        people: Vec<Presence>,
    },
    /// The answer to a question.
    Answer {
        /// Its number.
        id: u64,
        /// What came of it.
        result: Result<Reply, StoreError>,
    },
    /// A test message to run. Only to nodes that speak version 2.
    Test(Box<Errand>),
    /// A test message to stop.
    StopTest {
        /// Id of the run.
        run: String,
    },
    /// A question about databases that the node keeps. Only to nodes that speak version 3.
    Inquire {
        /// Number of the question.
        id: u64,
        /// The question.
        what: Inquiry,
    },
    /// Still there.
    Alive,
}

/// A server's certificate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IdentityRow {
    /// Name of the server.
    pub server: String,
    /// Certificate and key.
    pub issued: Issued,
    /// What an administrator set for clients of a Front End's pool. Programs before this one pass it over.
    #[serde(default)]
    pub own: Option<OwnRow>,
}

/// An own certificate of a Front End pool.
#[derive(Clone, Serialize, Deserialize)]
pub struct OwnRow {
    /// Name of the pool.
    pub pool: String,
    /// Certificates, PEM.
    pub chain: String,
    /// Private key, PEM.
    pub key: String,
}

impl std::fmt::Debug for OwnRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnRow").field("pool", &self.pool).finish_non_exhaustive()
    }
}

/// A user as a node gets him.
#[derive(Clone, Serialize, Deserialize)]
pub struct UserRow {
    /// SIP address.
    pub uri: SipUri,
    /// `DOMAIN\user`.
    pub logon: String,
    /// Display name.
    pub display_name: String,
    /// May sign in.
    pub enabled: bool,
    /// May chat.
    pub chat_enabled: bool,
    /// Home Front End pool.
    pub home_front_end: ObjectId,
    /// Whether SHA-256, user name, hash. Empty when he signs in elsewhere.
    pub secrets: Vec<(bool, String, String)>,
    /// Groups and units he belongs to. Portals of earlier versions say nothing of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub principals: Vec<String>,
}

impl std::fmt::Debug for UserRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserRow").field("uri", &self.uri).finish_non_exhaustive()
    }
}

impl UserRow {
    /// Of a user; with his secrets only where he signs in.
    pub fn of(u: &ChatUser, logon: &str, with_secrets: bool) -> Self {
        let secret = |h: &Ha1| (h.algorithm == Algorithm::Sha256, h.username.clone(), h.ha1.clone());
        Self {
            uri: u.uri.clone(),
            logon: logon.to_owned(),
            display_name: u.display_name.clone(),
            enabled: u.enabled,
            chat_enabled: u.chat_enabled,
            home_front_end: u.home_front_end.clone(),
            secrets: if with_secrets { u.secrets.iter().map(secret).collect() } else { Vec::new() },
            principals: u.principals.clone(),
        }
    }

    /// As a registrar needs him.
    pub fn user(&self) -> ChatUser {
        let secret = |(sha256, username, ha1): &(bool, String, String)| Ha1 {
            algorithm: if *sha256 { Algorithm::Sha256 } else { Algorithm::Md5 },
            username: username.clone(),
            ha1: ha1.clone(),
        };
        ChatUser {
            uri: self.uri.clone(),
            display_name: self.display_name.clone(),
            enabled: self.enabled,
            chat_enabled: self.chat_enabled,
            home_front_end: self.home_front_end.clone(),
            secrets: self.secrets.iter().map(secret).collect(),
            principals: self.principals.clone(),
        }
    }
}

/// What a chat server asks a chat database. Administrators' acts are not among it: a node cannot do them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Stores a post.
    Post(NewPost),
    /// The last messages.
    History(String, u32),
    /// Messages after a number.
    After(String, u64),
    /// A room.
    Room(String),
    /// Rooms that a user may see.
    FindRooms(String, String, usize),
    /// All rooms.
    Rooms,
    /// All categories.
    Categories,
    /// Whether an act was applied.
    Applied(String),
    /// Compliance events.
    Record(Vec<Recorded>),
}

/// A compliance event: kind, room, user, text, and since version 5 the number of the post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded(pub String, pub String, pub String, pub String, #[serde(default)] pub Option<u64>);

/// What a chat database answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// A stored message.
    Message(StoredMessage),
    /// Messages.
    Messages(Vec<StoredMessage>),
    /// A room with its category.
    Room(Option<Box<(Room, Category)>>),
    /// Rooms with their categories.
    Found(Vec<(Room, Category)>),
    /// Rooms.
    Rooms(Vec<Room>),
    /// Categories.
    Categories(Vec<Category>),
    /// Yes or no.
    Truth(bool),
    /// Done.
    Done,
    /// How many.
    Count(u64),
    /// How many rooms match, and a part of them.
    Part(u64, Vec<Room>),
    /// Names of rooms and categories.
    Names(Vec<Named>),
    /// Deleted rooms.
    Retired(Vec<Retired>),
    /// Use of rooms.
    Usage(Vec<Usage>),
    /// Add-ins.
    Addins(Vec<Addin>),
    /// What a pool's database says of itself.
    Side(Box<SideTold>),
    /// What an owner says of its side of a pair.
    Half(Box<HalfTold>),
    /// What came of a step of a switch.
    Did(Did),
    /// What came of the steps of a rehearsal.
    Rehearsed(Vec<Rehearsed>),
    /// A sentence.
    Said(String),
    /// A piece of a file.
    Piece {
        /// In hexadecimal.
        bytes: String,
        /// It is not the last one.
        more: bool,
    },
}
