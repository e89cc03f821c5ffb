//! First visit, the topology around the pool, publishing.

use anyhow::Result;
use lifeguard_tests::Server;

use super::hand::Person;
use crate::support::PASSWORD;

/// The first administrator; an empty deployment.
pub async fn first_visit(p: &Person, server: &Server) -> Result<()> {
    p.b.goto(&format!("{}/setup?token={}", server.url(), server.setup_token().await?)).await?;
    p.on("Set up this portal").await?;
    p.judge("01-set-up").await?;
    p.fill("Log-on name", "root").await?;
    p.fill("Password", PASSWORD).await?;
    p.fill("Password again", PASSWORD).await?;
    p.choose("An empty deployment").await?;
    p.send("Create the administrator").await?;
    p.on("The portal is set up").await?;
    p.sees(&["Nothing is defined yet. The overview leads through the first steps."]).await?;
    p.judge("02-set-up-done").await?;
    p.press("Go to the overview").await?;
    p.on("Overview").await?;
    p.sees(&["First steps", "A SIP domain"]).await?;
    p.judge("03-first-steps").await
}

/// SIP domain, site, Front End pool, a SQL store for the backup, a file store.
pub async fn topology(p: &Person) -> Result<()> {
    p.follow("Add the SIP domain").await?;
    p.on("New SIP domain").await?;
    p.fill("SIP domain", "contoso.com").await?;
    p.judge("04-sip-domain").await?;
    p.send("Add the SIP domain contoso.com").await?;
    p.on("Topology").await?;
    p.sees(&["1 change is not published.", "contoso.com", "Begin with a SIP domain and a site"]).await?;
    p.judge("05-topology-begun").await?;

    p.follow("New site").await?;
    p.on("New site").await?;
    p.fill("Site name", "Redmond").await?;
    p.send("Add the site Redmond").await?;
    p.sees(&["2 changes are not published.", "Redmond"]).await?;

    p.follow("New Front End pool in Redmond …").await?;
    p.on("New Front End pool").await?;
    p.fill("Pool FQDN", "fepool.contoso.com").await?;
    p.fill("Front End Servers", "fe01.contoso.com").await?;
    p.judge("06-front-end-pool").await?;
    p.send("Add the Front End pool fepool.contoso.com").await?;
    p.sees(&["3 changes are not published.", "fepool.contoso.com"]).await?;

    p.follow("New SQL Server store …").await?;
    p.on("New SQL Server store").await?;
    p.fill("SQL Server FQDN", "sql02.contoso.com").await?;
    p.choose("Named Instance").await?;
    p.fill("Instance name", "RTC").await?;
    p.judge("07-sql-store").await?;
    p.send("Add the SQL Server store sql02.contoso.com\\RTC").await?;
    p.sees(&["4 changes are not published.", "sql02.contoso.com\\RTC"]).await?;

    p.follow("New file store …").await?;
    p.on("New file store").await?;
    p.fill("File server FQDN", "fs01.contoso.com").await?;
    p.fill("File share", "chatfiles").await?;
    p.judge("08-file-store").await?;
    p.send("Add the file store \\\\fs01.contoso.com\\chatfiles").await?;
    p.on("Topology").await?;
    p.sees(&["5 changes are not published.", "Done: Create the folder of \\\\fs01.contoso.com\\chatfiles."])
        .await?;
    p.judge("09-topology").await
}

/// The sentences, the run, the servers.
pub async fn publish(p: &Person) -> Result<()> {
    p.follow("Publish now").await?;
    p.on("Publish the topology").await?;
    p.sees(&[
        "7 changes",
        "The SIP domain contoso.com is added.",
        "The SQL Server store sql01.contoso.com is added.",
        "The Persistent Chat pool pcpool.contoso.com is added: 2 computers on port 5041, mgc on sql01.contoso.com, \
         files on \\\\fs01.contoso.com\\chatfiles, next hop fepool.contoso.com, backup on sql02.contoso.com\\RTC, \
         compliance on.",
    ])
    .await?;
    p.fill("Comment (optional)", "The first pool").await?;
    p.judge("30-publish").await?;
    p.send("Publish the topology").await?;
    p.sees(&["Reason"]).await?;
    p.judge("31-publish-plan").await?;
    p.send("Publish the topology").await?;
    p.sees(&["Servers: 3 of 3 running", "Show the pools"]).await?;
    p.judge("32-published").await
}
