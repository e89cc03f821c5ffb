//! The resources that pages read under `/api/v1`. Acts go through `POST /api/v1/cmdlets/{name}` only
//! (see [`crate::plan`]); the few exceptions (session, drafts) stand here.

mod access;
mod alerts;
mod dto;
mod job_text;
mod machines;
mod pools;
mod rooms;
mod session;
mod settings;
mod shares;
mod test_messages;
mod topology;
mod users;

pub use self::access::*;
pub use self::alerts::*;
pub use self::machines::*;
pub use self::pools::*;
pub use self::rooms::*;
pub use self::session::*;
pub use self::settings::*;
pub use self::shares::*;
pub use self::test_messages::*;
pub use self::topology::*;
pub use self::users::*;
pub use crate::problem::{LiveProblem, Tried};
