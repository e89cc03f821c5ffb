//! The wizard, page by page.

use anyhow::{Result, ensure};

use super::hand::Person;

/// The page with this heading, judged.
async fn page(p: &Person, heading: &str, name: &str) -> Result<()> {
    p.on(heading).await?;
    p.judge(name).await
}

/// A pool of two computers with compliance and disaster recovery.
pub async fn pool(p: &Person) -> Result<()> {
    p.follow("New Persistent Chat Pool").await?;
    page(p, "Define the fully qualified domain name (FQDN)", "10-wizard-fqdn").await?;
    p.fill("Pool FQDN", "pcpool.contoso.com").await?;
    ensure!(p.b.by_role("radio", "Multiple computer pool").await?.is_selected().await?);
    p.send("Next").await?;

    p.on("Define the computers in this pool").await?;
    p.fill("Computer FQDN", "pc01.contoso.com").await?;
    p.press("Add").await?;
    p.sees(&["1 computer"]).await?;
    p.fill("Computer FQDN", "pc02.contoso.com").await?;
    p.press("Add").await?;
    p.sees(&["2 computers", "pc01.contoso.com", "pc02.contoso.com"]).await?;
    p.judge("11-wizard-computers").await?;
    p.send("Next").await?;

    p.on("Define properties of the Persistent Chat pool").await?;
    p.value("Persistent Chat port", "5041").await?;
    p.tick("Enable compliance").await?;
    p.tick("Use backup SQL Server stores to enable disaster recovery").await?;
    p.fill("Display name of the Persistent Chat pool", "Contoso chat").await?;
    // At once: what the portal does not have yet survives in the browser.
    p.b.driver().refresh().await?;
    p.on("Define properties of the Persistent Chat pool").await?;
    p.value("Display name of the Persistent Chat pool", "Contoso chat").await?;
    for box_ in ["Enable compliance", "Use backup SQL Server stores to enable disaster recovery"] {
        ensure!(p.b.by_role("checkbox", box_).await?.is_selected().await?, "{box_} is lost by a reload");
    }
    p.sees(&["The draft is saved.", "pcpool.contoso.com"]).await?;
    p.judge("12-wizard-properties").await?;
    p.send("Next").await?;
    stores(p).await?;
    summary(p).await
}

async fn stores(p: &Person) -> Result<()> {
    p.on("Define the SQL Server store").await?;
    p.choose("Define New SQL Store").await?;
    p.fill("SQL Server FQDN", "sql01.contoso.com").await?;
    p.tick("Enable SQL Server store mirroring").await?;
    p.pick("Mirroring SQL Server store", "sql02.contoso.com\\RTC").await?;
    p.judge("13-wizard-sql").await?;
    // Ticked off again, what was chosen counts no more: sql02 becomes the backup.
    p.tick("Enable SQL Server store mirroring").await?;
    p.send("Next").await?;

    p.on("Define the backup SQL Server store").await?;
    p.pick("Backup SQL Server store", "sql02.contoso.com\\RTC").await?;
    p.judge("14-wizard-backup").await?;
    p.send("Next").await?;

    p.on("Define the compliance SQL Server store").await?;
    p.press("Use the store of mgc").await?;
    p.value("SQL Server FQDN", "sql01.contoso.com").await?;
    p.tick("Enable SQL Server store mirroring").await?;
    p.pick("Compliance SQL Server store mirror", "sql02.contoso.com\\RTC").await?;
    p.judge("15-wizard-compliance").await?;
    p.tick("Enable SQL Server store mirroring").await?;
    p.send("Next").await?;

    p.on("Define the backup compliance SQL Server store").await?;
    p.press("Use the backup store of mgc").await?;
    p.sees(&["It is the same already."]).await?;
    p.judge("16-wizard-backup-compliance").await?;
    p.send("Next").await?;

    p.on("Define the file store").await?;
    p.pick("Previously defined file store", "\\\\fs01.contoso.com\\chatfiles").await?;
    p.judge("17-wizard-files").await?;
    p.send("Next").await?;

    p.on("Select the next hop pool").await?;
    p.pick("Next hop pool", "fepool.contoso.com").await?;
    p.judge("18-wizard-next-hop").await?;
    p.send("Next").await
}

async fn summary(p: &Person) -> Result<()> {
    p.on("Summary").await?;
    p.sees(&[
        "What Finish adds to the topology draft",
        "pcpool.contoso.com",
        "pc02.contoso.com",
        "sql01.contoso.com",
        "sql02.contoso.com",
        "fepool.contoso.com",
    ])
    .await?;
    p.judge("19-wizard-summary").await?;
    p.press("Finish").await?;
    p.on("pcpool.contoso.com is in the topology draft").await?;
    p.judge("20-wizard-finished").await
}
