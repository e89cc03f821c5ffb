//! Settings of the compliance adapter: rules without any store.
//! Source: model §11, C:New-CsPersistentChatComplianceConfiguration.

use serde::{Deserialize, Serialize};

/// The built-in adapter, as the documents name its type.
pub const XML_ADAPTER: &str = "Microsoft.Rtc.Internal.Chat.Server.Compliance.XmlAdapter,compliance";
/// Shortest and longest RunInterval in seconds (V19).
const INTERVAL: std::ops::RangeInclusive<u64> = 60..=30 * 86_400;

/// Settings of the adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ComplianceConfiguration {
    /// Name of the adapter.
    pub adapter_name: Option<String>,
    /// Where it writes: a folder of its own.
    pub adapter_output_directory: Option<String>,
    /// Its type; none means that nothing is written out.
    pub adapter_type: Option<String>,
    /// Writes name, description and category of rooms.
    pub add_chat_room_details: bool,
    /// Writes name and mail address of users.
    pub add_user_details: bool,
    /// Lists uploaded files beside the output.
    pub create_file_attachments_manifest: bool,
    /// XSLT definition; always none, the adapter has no XSLT processor.
    pub custom_configuration: Option<String>,
    /// A file for each room.
    pub one_chat_room_per_output_file: bool,
    /// `d.hh:mm:ss`.
    pub run_interval: String,
}

impl Default for ComplianceConfiguration {
    fn default() -> Self {
        Self {
            adapter_name: None,
            adapter_output_directory: None,
            adapter_type: None,
            add_chat_room_details: false,
            add_user_details: false,
            create_file_attachments_manifest: false,
            custom_configuration: None,
            one_chat_room_per_output_file: false,
            run_interval: "00:15:00".to_owned(),
        }
    }
}

/// Seconds of a time span `hh:mm`, `hh:mm:ss` or `d.hh:mm:ss`.
pub fn seconds(span: &str) -> Option<u64> {
    let (days, clock) = span.trim().split_once('.').map_or(("0", span.trim()), |(d, c)| (d, c));
    let parts: Vec<u64> = clock.split(':').map(|p| p.parse().ok()).collect::<Option<_>>()?;
    let (h, m, s) = match *parts.as_slice() {
        [h, m] => (h, m, 0),
        [h, m, s] => (h, m, s),
        _ => return None,
    };
    let days: u64 = days.parse().ok()?;
    (days < 1000 && h < 24 && m < 60 && s < 60).then_some(((days * 24 + h) * 60 + m) * 60 + s)
}

/// The type as it is stored: `XML` and the documents' long name are the built-in adapter.
pub fn adapter_type(word: &str) -> Option<&'static str> {
    let w = word.replace(' ', "");
    ["xml", "xmladapter", &XML_ADAPTER.to_lowercase()]
        .iter()
        .any(|k| w.eq_ignore_ascii_case(k))
        .then_some(XML_ADAPTER)
}

impl ComplianceConfiguration {
    /// Whether an adapter is set, and where it writes.
    pub fn writes_to(&self) -> Option<&str> {
        self.adapter_type.as_ref().and(self.adapter_output_directory.as_deref())
    }

    /// Whether the values are in their ranges (V19).
    ///
    /// # Errors
    /// The parameter and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if seconds(&self.run_interval).is_none_or(|s| !INTERVAL.contains(&s)) {
            let text = format!(
                "RunInterval is 00:01:00 to 30.00:00:00 (days.hours:minutes:seconds), not {}.",
                self.run_interval
            );
            return Err(("RunInterval", text));
        }
        if self.custom_configuration.is_some() {
            let text = "The adapter writes the documented XML as it is and has no XSLT processor; transform the files afterwards.";
            return Err(("CustomConfiguration", text.to_owned()));
        }
        if let Some(t) = self.adapter_type.as_deref().filter(|t| adapter_type(t).is_none()) {
            let text = format!("{t} is no adapter that is built in; write XML, or {XML_ADAPTER}.");
            return Err(("AdapterType", text));
        }
        if self.adapter_type.is_some() && self.adapter_output_directory.is_none() {
            let text = "The adapter needs a folder to write to; give -AdapterOutputDirectory.".to_owned();
            return Err(("AdapterOutputDirectory", text));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_one_minute_to_thirty_days() {
        let every = |t: &str| ComplianceConfiguration { run_interval: t.into(), ..Default::default() };
        for good in ["00:01:00", "00:30:00", "23:59:59", "30.00:00:00", "1.12:00:00", "00:10"] {
            assert!(every(good).check().is_ok(), "{good}");
        }
        for bad in ["00:00:59", "30.00:00:01", "24:00:00", "", "15", "00:60:00", "x.00:10:00"] {
            assert_eq!(every(bad).check().unwrap_err().0, "RunInterval", "{bad}");
        }
    }

    #[test]
    fn only_the_built_in_adapter_and_never_without_a_folder() {
        let set = |t: &str, d: Option<&str>| ComplianceConfiguration {
            adapter_type: Some(t.into()),
            adapter_output_directory: d.map(Into::into),
            ..Default::default()
        };
        assert!(set("XML", Some("/out")).check().is_ok() && set(XML_ADAPTER, Some("/out")).check().is_ok());
        assert_eq!(set("XML", None).check().unwrap_err().0, "AdapterOutputDirectory");
        assert_eq!(set("Contoso.Adapter,contoso", Some("/out")).check().unwrap_err().0, "AdapterType");
        assert_eq!(ComplianceConfiguration::default().writes_to(), None);
    }
}
