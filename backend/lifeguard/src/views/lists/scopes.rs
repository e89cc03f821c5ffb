//! Lists of settings at scopes.

use shared::api::{ComplianceView, ConfigurationView};
use shared::compliance::ComplianceConfiguration;
use shared::configuration::{ChatConfiguration, deciding};
use shared::topology::ChatPool;
use store::management::configuration;

use super::{Out, published, read};
use crate::app::App;

/// Settings of the chat service at their scopes, each with the pools that it decides for.
///
/// # Errors
/// When the store does not answer.
pub fn configurations(app: &App) -> Out<Vec<ConfigurationView>> {
    read(app, |c| {
        let t = published(c)?;
        let all = configuration::all::<ChatConfiguration>(c, configuration::Kind::PersistentChat)?;
        let decides = |id: &str| {
            let mine = |p: &&ChatPool| {
                let site = t.site(&p.site).map(|s| s.site_id.as_str()).unwrap_or_default();
                deciding(&all, site, &p.fqdn).is_some_and(|(i, _)| i == id)
            };
            t.pools.iter().filter(mine).map(|p| p.fqdn.to_string()).collect()
        };
        let view = |(id, v): &(String, ChatConfiguration)| ConfigurationView {
            identity: id.clone(),
            default_chat_history: v.default_chat_history,
            max_file_size_kb: v.max_file_size_kb,
            participant_update_limit: v.participant_update_limit,
            room_management_url: v.room_management_url.clone(),
            pools: decides(id),
        };
        Ok(all.iter().map(view).collect())
    })
}

/// Settings of the compliance adapter at their scopes.
///
/// # Errors
/// When the store does not answer.
pub fn compliance(app: &App) -> Out<Vec<ComplianceView>> {
    read(app, |c| {
        let t = published(c)?;
        let all =
            configuration::all::<ComplianceConfiguration>(c, configuration::Kind::PersistentChatCompliance)?;
        let decides = |id: &str| {
            let mine = |p: &&ChatPool| {
                let site = t.site(&p.site).map(|s| s.site_id.as_str()).unwrap_or_default();
                p.compliance && deciding(&all, site, &p.fqdn).is_some_and(|(i, _)| i == id)
            };
            t.pools.iter().filter(mine).map(|p| p.fqdn.to_string()).collect()
        };
        let view = |(id, v): &(String, ComplianceConfiguration)| ComplianceView {
            identity: id.clone(),
            writes: v.writes_to().is_some(),
            directory: v.adapter_output_directory.clone().unwrap_or_default(),
            run_interval: v.run_interval.clone(),
            room_details: v.add_chat_room_details,
            user_details: v.add_user_details,
            file_per_room: v.one_chat_room_per_output_file,
            pools: decides(id),
        };
        Ok(all.iter().map(view).collect())
    })
}
