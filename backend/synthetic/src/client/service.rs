//! From the registrar to the chat service: policy, lookup, channel.

use shared::synthetic::{CauseCode, Phase};
use wire::provisioning::{self, PersistentChatProvisioning};
use wire::xccos::Data;

use super::{Client, Done};
use crate::cause::Failure;

/// Whether a status says that what was asked for does not exist there at all.
pub(super) fn no_service(status: u16) -> bool {
    matches!(status, 404 | 405 | 420 | 489 | 501)
}

impl Client<'_> {
    /// SUBSCRIBE for the policy; the lookup address to use.
    pub async fn policy(&mut self) -> Done<(String, String)> {
        let call = format!("prov-{}", self.unique());
        let own = self.account.sip_uri.clone();
        let mut r = self.request("SUBSCRIBE", &own, &format!("<{own}>"), "prov", &call, 1);
        r.headers.push("Event", provisioning::EVENT);
        r.headers.push("Accept", provisioning::CONTENT_TYPE);
        r.headers.push("Supported", "ms-piggyback-first-notify");
        r.headers.push("Contact", self.contact.clone());
        r.headers.push("Expires", "0");
        r.set_body(provisioning::CONTENT_TYPE, provisioning::request());
        let until = self.until();
        let answer = self.exchange(&r, Phase::Policy, until).await?;
        if answer.status != 200 {
            let (who, host) = (self.who(), &self.plan.registrar_host);
            let (cause, seen) = if no_service(answer.status) {
                let text = format!("{host} signed {who} in, and offers no Persistent Chat.");
                (CauseCode::NoChatService, text)
            } else {
                (CauseCode::ProtocolError, format!("{who} could not read the Persistent Chat policy."))
            };
            return Err(Failure::by_service(cause, &answer, seen));
        }
        let p = PersistentChatProvisioning::parse(&answer.body);
        if p.as_ref().is_some_and(|p| !p.enabled) {
            let text = format!("No Persistent Chat policy enables {}.", self.who());
            return Err(Failure::new(
                CauseCode::NoPolicy,
                format!("{text} (EnablePersistentChat is false)"),
                text,
            ));
        }
        // Without provisioning an old service is at its fixed address (xccos.md §1).
        let fallback = format!("sip:ocschat@{}", self.domain());
        let uri = self.plan.pool_uri_hint.clone().or(p.and_then(|p| p.default_pool_uri)).unwrap_or(fallback);
        Ok((uri.clone(), format!("Persistent Chat is enabled; pool contact {uri}")))
    }

    /// Asks the lookup service for the channel service.
    pub async fn lookup(&mut self, uri: &str) -> Done<(String, String)> {
        let until = self.until();
        let call = self.invite(uri, Phase::Lookup, until).await?;
        let reply = self.command(&call, "cmd:requri", Data::default(), Phase::Lookup, until).await?;
        let Some(u) = reply.data.users().next().filter(|_| reply.code == 200) else {
            // The dialog is left to the clean-up.
            return Err(Failure::new(
                CauseCode::PoolUnavailable,
                format!("{}, {}", reply.code, reply.text),
                format!("The lookup service {uri} names no channel service."),
            ));
        };
        if let Some(bye) = self.bye(&call) {
            self.conn.expect(&bye, until, Phase::Lookup, &self.account.sip_uri).await?;
        }
        Ok((u.uri.clone(), format!("channel service {}", u.uri)))
    }

    /// Opens the channel dialog.
    pub async fn open_channel(&mut self, uri: &str) -> Done<String> {
        let until = self.until();
        self.channel = Some(self.invite(uri, Phase::Channel, until).await?);
        let server = self.hops.last().map(|h| format!("{}:{}", h.to, h.port)).unwrap_or_default();
        Ok(format!("session with {server}"))
    }
}
