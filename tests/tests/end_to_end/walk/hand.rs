//! A person at the page, who has either a mouse or a keyboard.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use lifeguard_tests::{Browser, By, Key, WebElement, wait};
use serde_json::{Value, json};

/// Where focus is, seen from an element, and whether a person can see it.
const FOCUS: &str = "
    const wanted = arguments[0], now = document.activeElement;
    if (!wanted.isConnected) return { gone: true };
    const name = now.outerHTML.slice(0, 160);
    if (!now || now === document.body) return { body: true, name };
    const bare = e => getComputedStyle(e).outlineStyle === 'none' && getComputedStyle(e).boxShadow === 'none';
    const box = now.getBoundingClientRect();
    const middle = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return {
        there: now === wanted,
        before: !!(now.compareDocumentPosition(wanted) & Node.DOCUMENT_POSITION_PRECEDING),
        // A heading that a page or dialog begins with takes focus to be read; nothing can be done with it.
        ring: now.tabIndex < 0 || !(bare(now) && bare(now.closest('label') || now)),
        seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0
            && box.left < innerWidth,
        free: !!middle && (now.contains(middle) || middle.contains(now) || !!middle.closest('.reason')),
        name,
    };";

/// How long a person looks for something. The portal is a debug build on two shared cores.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// With what the page is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    Mouse,
    Keyboard,
}

/// Somebody with a browser.
pub struct Person {
    pub b: Browser,
    hand: Hand,
}

impl Person {
    pub fn new(b: Browser, hand: Hand) -> Self {
        Self { b, hand }
    }

    /// Presses a button.
    pub async fn press(&self, name: &str) -> Result<()> {
        self.activate("button", name, Key::Space).await
    }

    /// Presses a button of a form by sending the form.
    pub async fn send(&self, name: &str) -> Result<()> {
        self.activate("button", name, Key::Enter).await
    }

    /// Follows a link. An empty list repeats the page's link; where both lead to the same, either will do.
    pub async fn follow(&self, name: &str) -> Result<()> {
        let same = "const all = [...document.querySelectorAll('main a')].filter(a => a.innerText.trim() === arguments[0]);
            return all.length > 1 && all.every(a => a.href === all[0].href);";
        self.act(&format!("the link {name:?}"), Key::Enter, async || {
            if self.b.script(same, vec![json!(name)]).await? == true {
                return Ok(self.b.driver().find(By::LinkText(name)).await?);
            }
            // Not for long: the page may still be loading and then have two of them.
            tokio::time::timeout(Duration::from_secs(2), self.b.by_role("link", name)).await?
        })
        .await
    }

    /// Goes to a page of the navigation at the left.
    pub async fn go(&self, page: &str) -> Result<()> {
        let link = format!("nav[aria-label=Main] a[title={page:?}]");
        self.act(&format!("the navigation's {page:?}"), Key::Enter, async || {
            Ok(self.b.driver().find(By::Css(link.as_str())).await?)
        })
        .await
    }

    /// Ticks or unticks a box.
    pub async fn tick(&self, name: &str) -> Result<()> {
        self.activate("checkbox", name, Key::Space).await
    }

    /// Chooses one of a few.
    pub async fn choose(&self, name: &str) -> Result<()> {
        if self.hand == Hand::Mouse {
            return self.b.by_role("radio", name).await?.click().await.map_err(Into::into);
        }
        let radio = self.b.by_role("radio", name).await?;
        // Tab stops at the choice made so far; arrows go from there.
        let chosen = self
            .b
            .driver()
            .execute(
                "const r = arguments[0], all = [...document.getElementsByName(r.name)];
                 return all.find(x => x.checked) || all[0];",
                vec![radio.to_json()?],
            )
            .await?
            .element()?;
        self.reach(&chosen).await?;
        for _ in 0..8 {
            if radio.is_selected().await? {
                return Ok(());
            }
            self.key(Key::Down).await?;
        }
        bail!("the arrow keys do not reach the choice {name:?}")
    }

    /// Chooses of a drop-down list the option whose words begin so.
    pub async fn pick(&self, label: &str, words: &str) -> Result<()> {
        let now = "return [...arguments[0].selectedOptions].map(o => o.text).join();";
        let list = wait::until("the list's option", async || {
            let list = self.b.by_label(label).await?;
            let all = self.ask("return [...arguments[0].options].map(o => o.text);", &list).await?;
            let there = all.as_array().is_some_and(|a| a.iter().any(|o| starts(o, words)));
            ensure!(there, "{label} offers {all}");
            Ok(list)
        })
        .await?;
        if self.hand == Hand::Mouse {
            let option = "return [...arguments[0].options].find(o => o.text.startsWith(arguments[1]));";
            let args = vec![list.to_json()?, json!(words)];
            return self.b.driver().execute(option, args).await?.element()?.click().await.map_err(Into::into);
        }
        self.reach(&list).await?;
        for _ in 0..20 {
            if starts(&self.ask(now, &list).await?, words) {
                return Ok(());
            }
            self.key(Key::Down).await?;
        }
        bail!("the arrow keys do not reach {words:?} in {label:?}")
    }

    /// Types into a field, instead of what stands there.
    pub async fn fill(&self, label: &str, text: &str) -> Result<()> {
        let field = self.b.by_label(label).await?;
        match self.hand {
            Hand::Mouse => {
                field.click().await?;
                field.clear().await?;
                field.send_keys(text).await?;
            }
            Hand::Keyboard => {
                self.reach(&field).await.with_context(|| format!("the field {label:?}"))?;
                let all = self.b.driver().action_chain();
                all.key_down(Key::Control).send_keys("a").key_up(Key::Control).perform().await?;
                self.b.driver().action_chain().send_keys(text).perform().await?;
            }
        }
        self.value(label, text).await
    }

    /// What a field holds.
    pub async fn value(&self, label: &str, text: &str) -> Result<()> {
        wait::until(&format!("{text:?} in {label:?}"), async || {
            let field = self.b.by_label(label).await?;
            let now = self.ask("return arguments[0].value;", &field).await?;
            ensure!(now == text, "it holds {now}");
            Ok(())
        })
        .await
    }

    /// Waits until the page says all of this.
    pub async fn sees(&self, texts: &[&str]) -> Result<()> {
        for text in texts {
            self.b.wait_text(text).await?;
        }
        Ok(())
    }

    /// Waits until the page's heading says this; every page has one and only one.
    pub async fn on(&self, heading: &str) -> Result<()> {
        wait::until(&format!("the page {heading:?}"), async || {
            let all = self
                .b
                .script("return [...document.querySelectorAll('h1')].map(h => h.innerText);", vec![])
                .await?;
            ensure!(all == json!([heading]), "the headings are {all}; {}", self.b.text().await?);
            Ok(())
        })
        .await
    }

    /// Judges the screen: sound for assistive technology, and no wider than a phone.
    pub async fn judge(&self, name: &str) -> Result<()> {
        let name = format!("walk-{}-{name}", if self.hand == Hand::Mouse { "light" } else { "dark" });
        self.still().await?;
        self.b.screenshot(&name).await?;
        self.b.assert_accessible(&name).await?;
        self.b.size(390, 844).await?;
        let wide = "return [...document.querySelectorAll('body *')]
            .filter(e => document.documentElement.scrollWidth > innerWidth && e.getBoundingClientRect().right > innerWidth)
            .map(e => e.outerHTML.slice(0, 120));";
        self.still().await?;
        let wide = self.b.script(wide, vec![]).await?;
        self.b.screenshot(&format!("{name}-narrow")).await?;
        ensure!(wide == json!([]), "{name} scrolls sideways at 390 px because of {wide}");
        self.b.size(1280, 900).await
    }

    /// Waits until nothing moves on its way to a place; what turns for ever does not count.
    async fn still(&self) -> Result<()> {
        wait::until("the end of movements", async || {
            let moving = "return document.getAnimations()
                .filter(a => a.playState === 'running' && a.effect.getComputedTiming().endTime !== Infinity)
                .map(a => a.effect.target.className);";
            let moving = self.b.script(moving, vec![]).await?;
            ensure!(moving == json!([]), "{moving}");
            Ok(())
        })
        .await
    }

    async fn activate(&self, role: &str, name: &str, key: Key) -> Result<()> {
        self.act(&format!("the {role} {name:?}"), key, async || self.b.by_role(role, name).await).await
    }

    async fn act(&self, what: &str, key: Key, find: impl AsyncFn() -> Result<WebElement>) -> Result<()> {
        wait::within(PATIENCE, what, async || {
            let e = find().await?;
            let off = e.attr("aria-disabled").await?.is_some_and(|v| v == "true");
            if off {
                let why = self.ask("return arguments[0].parentElement.innerText;", &e).await?;
                bail!("it cannot be pressed: {why}");
            }
            match self.hand {
                Hand::Mouse => e.click().await.map_err(Into::into),
                Hand::Keyboard => {
                    self.reach(&e).await?;
                    self.key(key.clone()).await
                }
            }
        })
        .await
    }

    /// Goes to an element by Tab, or by Shift and Tab when it stands before, as far as it takes. Every stop
    /// on the way has to show that it has the focus, and must not lie under something else.
    async fn reach(&self, wanted: &WebElement) -> Result<()> {
        for stop in 0..120 {
            // Where a person comes from may have been scrolled away; what Tab goes to must be seen.
            let at = if stop == 0 { self.ask(FOCUS, wanted).await? } else { self.seen_focus(wanted).await? };
            ensure!(at["gone"] != true, "the page redrew it");
            if at["there"] == true {
                return Ok(());
            }
            let keys = self.b.driver().action_chain();
            let keys = if at["before"] == true {
                keys.key_down(Key::Shift).send_keys(Key::Tab).key_up(Key::Shift)
            } else {
                keys.send_keys(Key::Tab)
            };
            keys.perform().await?;
            ensure!(stop < 110, "Tab does not get there; it is at {at}");
        }
        bail!("Tab does not get there")
    }

    /// Scrolling into sight takes its time; it is waited for.
    async fn seen_focus(&self, wanted: &WebElement) -> Result<Value> {
        wait::within(Duration::from_secs(3), "a focus that can be seen", async || {
            let at = self.ask(FOCUS, wanted).await?;
            let fine = ["ring", "seen", "free"].iter().all(|k| at[*k] != false);
            ensure!(fine, "{at}");
            Ok(at)
        })
        .await
    }

    async fn key(&self, key: Key) -> Result<()> {
        self.b.driver().action_chain().send_keys(key).perform().await.map_err(Into::into)
    }

    async fn ask(&self, script: &str, e: &WebElement) -> Result<Value> {
        self.b.script(script, vec![e.to_json()?]).await
    }
}

fn starts(value: &Value, words: &str) -> bool {
    value.as_str().is_some_and(|t| t.starts_with(words))
}
