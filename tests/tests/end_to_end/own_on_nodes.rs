//! A certificate that an administrator sets for a Front End pool, at the pool's servers on nodes.

use anyhow::{Result, ensure};
use lifeguard_tests::wait;
use node::ca::{LocalCa, fingerprint_of};
use serde_json::json;
use shared::Fqdn;

use crate::chat_client::ChatClient;
use crate::node::Halves;
use crate::plain_sip::sign_on_at;
use crate::reach::{pem, shown};
use crate::support::run;

const FRONT: &str = "atl-fe-001.litwareinc.com";
const POOL: &str = "atl-cs-001.litwareinc.com";

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_ones_own_reaches_front_ends_on_nodes() -> Result<()> {
    let mut h = Halves::start().await?;
    h.state_is("gc-002.litwareinc.com", "running").await?;
    let dir = tempfile::tempdir()?;
    let own = LocalCa::open(dir.path())?;
    let local = LocalCa::open(&h.s.server.data_dir().join("ca"))?;
    let mut at = h.front;
    at.set_port(5061);
    wait::until("the Front End on the node", async || shown(at, &local).await).await?;
    ensure!(shown(at, &own).await.is_err(), "nobody knows that authority yet");
    // A session that began before goes on over all of it.
    let user = h.s.users[0].clone();
    let mut session = ChatClient::over(sign_on_at(h.front, &user).await?, &user, POOL).await?;

    let issued = own.issue(&[&Fqdn::try_from(FRONT)?])?.issued();
    let (certificate, key) = (pem("CERTIFICATE", &issued.certificate)?, pem("PRIVATE KEY", &issued.key)?);
    let set = json!({ "Identity": FRONT, "Certificate": certificate, "PrivateKey": key });
    run(&h.s.client, "Set-LgCertificate", set).await?;
    let wanted = fingerprint_of(&hex::decode(&issued.certificate)?);
    let is_own = async || {
        let print = shown(at, &own).await?;
        ensure!(print == wanted, "{print}");
        Ok(())
    };
    wait::until("the own certificate on the node", is_own).await?;

    // It lies sealed on the node's disk, and is there again without the portal.
    let secret = key.lines().nth(1).unwrap_or_default().to_owned();
    let sealed = h.node.data_dir().join("replica.sealed");
    wait::until("the node to keep it", async || {
        let bytes = std::fs::read(&sealed)?;
        let text = String::from_utf8_lossy(&bytes);
        ensure!(!text.contains(&secret) && !text.contains("PRIVATE KEY"), "the key lies there in plain");
        Ok(())
    })
    .await?;
    let found =
        run(&h.s.client, "Get-CsPersistentChatRoom", json!({ "Identity": format!("{POOL}\\Lobby") })).await?;
    let room = found["output"][0]["ChatRoomUri"].as_str().unwrap_or_default().to_owned();
    session.join(&room).await?;
    session.post(&room, "the session goes on").await?;
    h.node.terminate().await?;
    h.s.server.kill9();
    h.node.restart().await?;
    wait::until("the own certificate after a restart without the portal", is_own).await?;

    // Removed, the authority's is shown again.
    h.s.server.restart().await?;
    let again = h.s.server.client()?;
    again.login("root", crate::support::PASSWORD).await?;
    run(&again, "Remove-LgCertificate", json!({ "Identity": FRONT })).await?;
    wait::until("the authority's certificate on the node", async || shown(at, &local).await).await?;
    ensure!(shown(at, &own).await.is_err(), "the removed one is still shown");
    Ok(())
}
