//! Nodes: chat servers and Front Ends in a process of their own. What goes over the link between the portal
//! and a node, and the chat databases as a node sees them.

mod acts;
mod answer;
mod client;
mod directory;
mod errand;
mod frame;
mod wire;

pub use self::acts::{Act, Did, HalfTold, Inquiry, MarkTold, Rehearsed, SideTold, Step, administer};
pub use self::answer::answer;
pub use self::client::{Counted, Remote};
pub use self::directory::ReplicaDirectory;
pub use self::errand::{ERRANDS, Errand, ErrandUser, Told};
pub use self::frame::{FrameError, read, write};
pub use self::wire::{Call, IdentityRow, OLDEST, OwnRow, Reply, ToNode, ToPortal, UserRow, VERSION};

use std::time::Duration;

/// How often each end says that it is there.
pub const ALIVE: Duration = Duration::from_secs(2);
/// An end that was silent for this long is gone.
pub const SILENCE: Duration = Duration::from_secs(8);
/// Longest write of one frame.
pub const WRITE: Duration = Duration::from_secs(8);
/// Largest frame of a stranger.
pub const FROM_STRANGER: u32 = 16 * 1024;
/// Largest frame of a node.
pub const FROM_NODE: u32 = 8 * 1024 * 1024;
/// Largest frame of the portal: the longest history of large messages.
pub const FROM_PORTAL: u32 = 256 * 1024 * 1024;
