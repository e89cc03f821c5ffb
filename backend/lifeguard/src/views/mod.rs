//! Resources that pages read: put together from the store, the fleet and the hosts' reports.

pub mod alerts;
pub mod groups;
pub mod lists;
pub mod mirror;
pub mod overview;
pub mod recent;
pub mod room_life;
pub mod rooms;
mod sparkline;
pub mod status;
pub mod test_history;
pub mod todo;
pub mod tried;
pub mod users;
