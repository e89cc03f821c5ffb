//! A refused password of somebody whom this deployment's directory does not have: a registrar answers as if the
//! password were wrong, the portal knows better.

use shared::SipUri;
use shared::synthetic::{CauseCode, TestReport};
use store::management::directory;

use crate::app::App;

/// Puts what the directory says before what was seen.
pub fn explain(app: &App, report: &mut TestReport) {
    let Some(d) = report.diagnosis.as_mut().filter(|d| d.cause == CauseCode::WrongPassword) else { return };
    let Some(who) = [&report.sender, &report.receiver].into_iter().find(|who| d.text.contains(who.as_str()))
    else {
        return;
    };
    let Ok(uri) = SipUri::try_from(who.as_str()) else { return };
    // A store that does not answer says nothing of the user.
    if matches!(app.store.read(|c| directory::user(c, &uri)), Ok(None)) {
        d.text = said(who, &d.text);
        "Check the SIP address first, then the password.".clone_into(&mut d.check_next);
    }
}

fn said(who: &str, seen: &str) -> String {
    format!(
        "{who} is not in this deployment's directory; where another deployment knows the address, the password is wrong. {seen}"
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_the_directory_says_stands_first() {
        let text = super::said("sip:nobody@litwareinc.com", "The password was refused.");
        assert!(
            text.starts_with("sip:nobody@litwareinc.com is not in this deployment's directory"),
            "{text}"
        );
        assert!(text.ends_with("the password is wrong. The password was refused."), "{text}");
    }
}
