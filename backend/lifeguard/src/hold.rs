//! A place where a test stops the work to kill the program exactly there. Only in debug builds: a release
//! has no such switch.

use crate::settings::Settings;

/// Waits while the file `hold` of the data directory names this point, and says so on standard output.
pub async fn at(settings: &Settings, point: &str) {
    if !cfg!(debug_assertions) {
        return;
    }
    let wanted = || std::fs::read_to_string(settings.data_dir.join("hold")).is_ok_and(|w| w.trim() == point);
    if wanted() {
        println!("held at={point}");
    }
    while wanted() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
