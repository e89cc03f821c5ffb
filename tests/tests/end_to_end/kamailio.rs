//! A registrar of others: Kamailio, with TLS and Digest. Test messages sign on there with its passwords, and
//! say in plain words what it lacks.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::process::Process;
use lifeguard_tests::wait;
use serde_json::json;
use wire::digest::{Algorithm, ha1};

use crate::apart;
use crate::causes::is;
use crate::support::{Sample, User, run};
use crate::trusted::Foreign;

const DOMAIN: &str = "fabrikam.com";
const PASSWORD: &str = "Kamelie 11";

/// Kamailio; its processes end with it.
pub struct Kamailio {
    pub at: SocketAddr,
    process: Process,
    _place: tempfile::TempDir,
}

impl Kamailio {
    /// Starts it with a certificate of this authority, and waits until it takes connections.
    async fn start(authority: &Foreign, users: &[&str]) -> Result<Self> {
        let at: SocketAddr = "127.77.0.16:25061".parse()?;
        let secret =
            |u: &&str| format!("    $sht(ha1=>{u}) = \"{}\";\n", ha1(Algorithm::Md5, u, DOMAIN, PASSWORD));
        let place = tempfile::tempdir()?;
        let (cert, key) = authority.issue(&at.ip().to_string())?;
        let file = |name: &str, text: &str| -> Result<String> {
            let path = place.path().join(name);
            std::fs::write(&path, text)?;
            Ok(path.display().to_string())
        };
        let config = include_str!("kamailio.cfg")
            .replace("@LISTEN@", &at.to_string())
            .replace("@CERTIFICATE@", &file("cert.pem", &cert)?)
            .replace("@KEY@", &file("key.pem", &key)?)
            .replace("@USERS@", &users.iter().map(secret).collect::<String>());
        Self::with(at, &config, place).await
    }

    /// Starts it with this configuration, whose files lie in `place`, and waits until it takes connections.
    pub async fn with(at: SocketAddr, config: &str, place: tempfile::TempDir) -> Result<Self> {
        let path = place.path().join("kamailio.cfg");
        std::fs::write(&path, config)?;
        let config = path.display().to_string();
        let mut c = Command::new("unshare");
        if apart::output(Command::new("id").arg("-u"))?.trim() != "0" {
            c.args(["--user", "--map-root-user"]);
        }
        // It has several processes, which would outlive a kill of the first.
        c.args([
            "--pid",
            "--fork",
            "--kill-child",
            "kamailio",
            "-DD",
            "-E",
            "-m",
            "32",
            "-M",
            "8",
            "-f",
            &config,
        ]);
        c.arg("-Y").arg(place.path()).arg("-w").arg(place.path());
        let process = Process::start(&mut c)
            .context("kamailio (Debian's packages kamailio and kamailio-tls-modules)")?;
        let k = Self { at, process, _place: place };
        wait::until("Kamailio", async || {
            tokio::net::TcpStream::connect(k.at).await.with_context(|| k.process.printed()).map(drop)
        })
        .await?;
        Ok(k)
    }
}

fn user(name: &str) -> User {
    User { sip: format!("sip:{name}@{DOMAIN}"), logon: name.to_owned(), password: PASSWORD.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registrar_of_others_is_signed_on_to_and_what_it_lacks_is_said() -> Result<()> {
    let (s, theirs) = (Sample::start().await?, Foreign::new()?);
    let k = Kamailio::start(&theirs, &["ada", "bob", "old"]).await?;
    let (ada, bob) = (user("ada"), user("bob"));
    let at = json!({ "TargetFqdn": k.at.ip().to_string(), "RegistrarPort": k.at.port() });
    is(&s.test(&ada, &bob, at.clone()).await?, "tls_untrusted", "")?;
    run(&s.client, "New-LgTrustedCertificate", json!({ "Name": "Fabrikam", "Certificate": theirs.pem }))
        .await?;

    // Both sign on and off; the registrar has no Persistent Chat.
    let t = s.test(&ada, &bob, at.clone()).await?;
    is(
        &t,
        "no_chat_service",
        &format!("{} signed sip:ada@{DOMAIN} in, and offers no Persistent Chat", k.at.ip()),
    )?;
    let steps = t["report"]["steps"].as_array().context("no steps")?;
    for phase in ["tls", "sign_in", "sign_off"] {
        let good = steps.iter().filter(|s| s["phase"] == phase && s["ok"] == true).count();
        ensure!(good == 2, "{phase}: {steps:?}");
    }
    let id = t["summary"]["id"].as_str().context("no id")?;
    let (_, text) = s.client.get(&format!("/api/v1/tests/{id}/messages.txt")).await?;
    let text = text.as_str().context("no text")?;
    ensure!(text.contains("Server: kamailio") && !text.contains(PASSWORD), "{text}");

    // One that says nothing about Persistent Chat, and has nobody at the old address of the service.
    let t = s.test(&user("old"), &bob, at.clone()).await?;
    is(&t, "no_chat_service", "")?;
    ensure!(
        t["report"]["steps"]
            .to_string()
            .contains(&format!("Nobody answers as Persistent Chat service at sip:ocschat@{DOMAIN}")),
        "{t}"
    );

    let wrong = User { password: "something else".to_owned(), ..user("ada") };
    for (who, cause, words) in [
        (wrong, "wrong_password", "was refused by"),
        (user("nobody"), "unknown_user", "does not know sip:nobody@fabrikam.com"),
        (user("barred"), "sign_in_refused", "was refused by"),
        (user("busy"), "registrar_unavailable", "cannot sign in sip:busy@fabrikam.com at the moment"),
        (user("lync"), "scheme_not_spoken", "offers TLS-DSK, and neither NTLM nor Digest"),
    ] {
        is(&s.test(&who, &bob, at.clone()).await?, cause, words)?;
    }
    Ok(())
}
