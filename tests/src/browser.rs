//! A headless Chromium, driven the way a person uses a page: by what controls are called.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::common::log::LoggingPrefsLogLevel;
use thirtyfour::{ChromiumLikeCapabilities as _, DesiredCapabilities};
use thirtyfour::{WebDriver, WebElement};

use crate::chromedriver::ChromeDriver;
use crate::{target_dir, wait};

/// Chromium as root without a screen, silent towards the network.
const FLAGS: [&str; 8] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// Roles of form controls in the accessibility tree.
const CONTROLS: [&str; 10] = [
    "textbox",
    "searchbox",
    "combobox",
    "ComboBoxSelect",
    "checkbox",
    "radio",
    "switch",
    "spinbutton",
    "slider",
    "listbox",
];

/// Which colours the visitor's system prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// A browser with a profile of its own, closed when dropped.
///
/// ChromeDriver is dropped, and with it Chromium, before the profile's folder.
pub struct Browser {
    driver: WebDriver,
    patience: Duration,
    _chromedriver: ChromeDriver,
    profile: TempDir,
}

impl Browser {
    /// Starts one with a view of 1280 × 900.
    ///
    /// # Errors
    /// ChromeDriver or Chromium is not installed or does not start.
    pub async fn start() -> Result<Self> {
        crate::choose_tls();
        let chromedriver = ChromeDriver::start().await?;
        let profile = TempDir::with_prefix("lifeguard-chromium-")?;
        let mut wanted = DesiredCapabilities::chrome();
        for flag in FLAGS {
            wanted.add_arg(flag)?;
        }
        wanted.add_arg("--window-size=1280,900")?;
        wanted.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        if let Ok(chromium) = std::env::var("CHROMIUM") {
            wanted.set_binary(&chromium)?;
        }
        let driver = WebDriver::new(chromedriver.url(), wanted).await.context("Chromium does not start")?;
        let browser = Self { driver, patience: wait::LIMIT, _chromedriver: chromedriver, profile };
        browser.size(1280, 900).await?;
        Ok(browser)
    }

    /// The WebDriver session, for what has no word here.
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// The folder of its profile.
    pub fn profile(&self) -> &Path {
        self.profile.path()
    }

    /// Sets how long the waiting functions wait, instead of [`wait::LIMIT`].
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Opens a page and waits until it is loaded.
    ///
    /// # Errors
    /// It does not load.
    pub async fn goto(&self, url: &str) -> Result<()> {
        self.driver.goto(url).await.with_context(|| format!("cannot open {url}"))
    }

    /// The form control with this accessible name, as a screen reader says it. Waits until it is there.
    ///
    /// # Errors
    /// There is none in time, or there are several.
    pub async fn by_label(&self, label: &str) -> Result<WebElement> {
        self.find(&CONTROLS, label).await
    }

    /// The button with this accessible name. Waits until it is there.
    ///
    /// # Errors
    /// There is none in time, or there are several.
    pub async fn button(&self, name: &str) -> Result<WebElement> {
        self.find(&["button"], name).await
    }

    /// The element with this role (of the accessibility tree: `link`, `tab`, `heading`, `row` …) and
    /// accessible name. Waits until it is there.
    ///
    /// # Errors
    /// There is none in time, or there are several.
    pub async fn by_role(&self, role: &str, name: &str) -> Result<WebElement> {
        self.find(&[role], name).await
    }

    /// Clicks a button; a page that redraws it meanwhile is given time.
    ///
    /// # Errors
    /// It cannot be clicked in time.
    pub async fn click_button(&self, name: &str) -> Result<()> {
        self.click(&["button"], name).await
    }

    /// Clicks a link; a page that redraws it meanwhile is given time.
    ///
    /// # Errors
    /// It cannot be clicked in time.
    pub async fn click_link(&self, name: &str) -> Result<()> {
        self.click(&["link"], name).await
    }

    /// Empties a text field and types into it.
    ///
    /// # Errors
    /// There is no such field in time, or it takes no text.
    pub async fn fill(&self, label: &str, text: &str) -> Result<()> {
        let field = self.by_label(label).await?;
        field.clear().await.with_context(|| format!("cannot empty {label:?}"))?;
        field.send_keys(text).await.with_context(|| format!("cannot type into {label:?}"))
    }

    /// The text that can be seen.
    ///
    /// # Errors
    /// The browser does not answer.
    pub async fn text(&self) -> Result<String> {
        let found = self.script("return document.body ? document.body.innerText : '';", Vec::new()).await?;
        Ok(found.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until this text can be seen.
    ///
    /// # Errors
    /// It does not come in time; the message has the text that was there.
    pub async fn wait_text(&self, text: &str) -> Result<()> {
        wait::within(self.patience, &format!("the text {text:?}"), async || {
            let seen = self.text().await?;
            ensure!(seen.contains(text), "the page says:\n{seen}");
            Ok(())
        })
        .await
    }

    /// Waits until this text can no longer be seen.
    ///
    /// # Errors
    /// It does not go in time; the message has the text that was there.
    pub async fn wait_no_text(&self, text: &str) -> Result<()> {
        wait::within(self.patience, &format!("the end of the text {text:?}"), async || {
            let seen = self.text().await?;
            ensure!(!seen.contains(text), "the page says:\n{seen}");
            Ok(())
        })
        .await
    }

    /// Runs JavaScript (a function body) in the page and returns its value.
    ///
    /// # Errors
    /// It throws.
    pub async fn script(&self, body: &str, args: Vec<Value>) -> Result<Value> {
        Ok(self.driver.execute(body, args).await?.json().clone())
    }

    /// Saves what is seen as `target/screenshots/NAME.png`.
    ///
    /// # Errors
    /// The disk refuses.
    pub async fn screenshot(&self, name: &str) -> Result<PathBuf> {
        let folder = target_dir().join("screenshots");
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}.png"));
        self.driver.screenshot(&path).await?;
        Ok(path)
    }

    /// Makes the system prefer dark colours.
    ///
    /// # Errors
    /// The browser does not answer.
    pub async fn dark(&self) -> Result<()> {
        self.prefer(Scheme::Dark, false).await
    }

    /// Sets what the system prefers: colours, and whether motion is reduced.
    ///
    /// # Errors
    /// The browser does not answer.
    pub async fn prefer(&self, scheme: Scheme, reduced_motion: bool) -> Result<()> {
        let scheme = if scheme == Scheme::Dark { "dark" } else { "light" };
        let motion = if reduced_motion { "reduce" } else { "no-preference" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": motion },
        ]);
        self.cdp("Emulation.setEmulatedMedia", json!({ "features": features })).await.map(drop)
    }

    /// Sets the size of the view in CSS pixels; unlike a window's, it can be as narrow as a phone's.
    ///
    /// # Errors
    /// The browser does not answer.
    pub async fn size(&self, width: u32, height: u32) -> Result<()> {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await.map(drop)
    }

    /// Shows the page as a telephone of 390 × 844 does: the view grows with what sticks out of the page.
    ///
    /// # Errors
    /// The browser does not answer.
    pub async fn telephone(&self) -> Result<()> {
        let metrics = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await.map(drop)
    }

    /// Errors in the console since the last call: exceptions, refused resources, breaches of the content
    /// security policy.
    ///
    /// # Errors
    /// The browser does not answer.
    pub async fn console_errors(&self) -> Result<Vec<String>> {
        let log = self.driver.browser_log().await?;
        Ok(log.into_iter().filter(|entry| entry.level == "SEVERE").map(|entry| entry.message).collect())
    }

    async fn click(&self, roles: &[&str], name: &str) -> Result<()> {
        wait::within(self.patience, &format!("a click on {name:?}"), async || {
            let element = self.find_now(roles, name).await?;
            element.click().await.map_err(Into::into)
        })
        .await
    }

    async fn find(&self, roles: &[&str], name: &str) -> Result<WebElement> {
        wait::within(
            self.patience,
            &format!("{} {name:?}", roles.first().unwrap_or(&"element")),
            async || self.find_now(roles, name).await,
        )
        .await
    }

    /// Asks the browser's own accessibility tree, which computes names as assistive technology gets them.
    async fn find_now(&self, roles: &[&str], name: &str) -> Result<WebElement> {
        let document = self.cdp("DOM.getDocument", json!({ "depth": 0 })).await?;
        // Not `nodeId`: those end with the next DOM.getDocument, which a lookup beside this one may send.
        let query = json!({ "backendNodeId": document["root"]["backendNodeId"], "accessibleName": name });
        let answer = self.cdp("Accessibility.queryAXTree", query).await?;
        let nodes = answer["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let fits = |node: &&Value| {
            node["ignored"] != true
                && node["role"]["value"].as_str().is_some_and(|role| roles.contains(&role))
        };
        let found: Vec<&Value> = nodes.iter().filter(fits).collect();
        match found.as_slice() {
            [node] => self.element(&node["backendDOMNodeId"]).await,
            [] => {
                let others: Vec<&str> =
                    nodes.iter().filter_map(|node| node["role"]["value"].as_str()).collect();
                bail!(
                    "none is there; other roles with that name: {others:?}; the page says:\n{}",
                    self.text().await?
                )
            }
            several => bail!("{} are there", several.len()),
        }
    }

    /// A node of the accessibility tree as an element that can be clicked.
    async fn element(&self, backend_node: &Value) -> Result<WebElement> {
        let resolved = self.cdp("DOM.resolveNode", json!({ "backendNodeId": backend_node })).await?;
        let keep = json!({
            "objectId": resolved["object"]["objectId"],
            "functionDeclaration": "function() { window.lifeguardTestFound = this; }",
        });
        self.cdp("Runtime.callFunctionOn", keep).await?;
        Ok(self.driver.execute("return window.lifeguardTestFound;", Vec::new()).await?.element()?)
    }

    async fn cdp(&self, method: &str, params: Value) -> Result<Value> {
        self.driver.cdp().send_raw(method, params).await.with_context(|| method.to_owned())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // ChromeDriver ends the session when it shuts down. The library's own farewell from `drop` got no
        // answer before its time-out of two minutes (thirtyfour 0.38, ChromeDriver 156).
        let _ = self.driver.clone().leak();
    }
}
