//! A proxy of others between client and Front End: Kamailio, which asks for a password of its own and records itself
//! on the way. Everything of a session passes it, in both directions.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use wire::digest::{Algorithm, ha1};

use crate::causes::front_end;
use crate::chat_client::ChatClient;
use crate::kamailio::Kamailio;
use crate::plain_sip::sign_on_at;
use crate::support::{Sample, User, run};

const AT: &str = "127.77.0.18:25060";
const POOL: &str = "atl-cs-001.litwareinc.com";

async fn proxy(front_end: SocketAddr, user: &User) -> Result<Kamailio> {
    let name = user.logon.rsplit('\\').next().context("no name")?;
    let secret = ha1(Algorithm::Md5, name, "litwareinc.com", &user.password);
    let config = include_str!("outbound.cfg")
        .replace("@LISTEN@", AT)
        .replace("@FRONT_END@", &front_end.ip().to_string())
        .replace("@USERS@", &format!("    $sht(ha1=>{name}) = \"{secret}\";\n"));
    Kamailio::with(AT.parse()?, &config, tempfile::tempdir()?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_passes_a_proxy_of_others_in_both_directions() -> Result<()> {
    let s = Sample::start().await?;
    let (pilar, ken) = (&s.users[0], &s.users[1]);
    let k = proxy(front_end(&s).await?, pilar).await?;
    let found = run(
        &s.client,
        "Get-CsPersistentChatRoom",
        serde_json::json!({ "Identity": format!("{POOL}\\Lobby") }),
    )
    .await?;
    let room = found["output"][0]["ChatRoomUri"].as_str().context("no room")?.to_owned();
    let mut direct = ChatClient::open(&s, ken, POOL).await?;
    direct.join(&room).await?;
    // REGISTER, then INVITE with the proxy's own challenge.
    let sip = sign_on_at(k.at, pilar).await?;
    let mut behind = ChatClient::over(sip, pilar, POOL).await?;
    let way = behind.route().join(" ");
    ensure!(behind.route().len() == 2 && way.contains(AT) && way.contains("atl-fes-001"), "{way}");
    // INFO both ways: a command and its answer, a post and what others post.
    behind.join(&room).await?;
    direct.entered(&pilar.sip).await?;
    behind.post(&room, "through the proxy").await?;
    direct.receive("through the proxy").await?;
    for n in 0..20 {
        direct.post(&room, &format!("back {n}")).await?;
    }
    behind.receive("back 19").await?;
    // BYE.
    behind.bye().await?;
    direct.parted(&room, &pilar.sip).await?;
    // The same again over the connection that the proxy keeps to the Front End.
    let sip = sign_on_at(k.at, pilar).await?;
    let mut again = ChatClient::over(sip, pilar, POOL).await?;
    again.join(&room).await?;
    direct.entered(&pilar.sip).await
}
