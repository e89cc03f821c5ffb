//! The way through the portal that a new administrator goes, in a real Chromium: from the empty data
//! directory to a chat pool that carries messages, is switched over and is shared. Once by mouse in light
//! colours, once by keyboard alone in dark ones.

mod define;
mod hand;
mod operate;
mod wizard;

use anyhow::{Result, ensure};
use lifeguard_tests::{Browser, Options, Server};

use self::hand::{Hand, Person};

/// From the first visit to the shared pool.
async fn walk(hand: Hand) -> Result<()> {
    let server = Server::start(Options::default()).await?;
    let b = Browser::start().await?;
    if hand == Hand::Keyboard {
        b.dark().await?;
    }
    let p = Person::new(b, hand);
    define::first_visit(&p, &server).await?;
    define::topology(&p).await?;
    wizard::pool(&p).await?;
    define::publish(&p).await?;
    operate::people(&p).await?;
    operate::room(&p).await?;
    operate::test_message(&p).await?;
    operate::switch_over_and_back(&p).await?;
    operate::endpoint(&p).await?;
    operate::share(&p, &server).await?;
    operate::shell(&p).await?;
    let errors = p.b.console_errors().await?;
    ensure!(errors.is_empty(), "the console says: {errors:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_from_nothing_to_a_shared_pool_by_mouse() -> Result<()> {
    walk(Hand::Mouse).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_from_nothing_to_a_shared_pool_by_keyboard() -> Result<()> {
    walk(Hand::Keyboard).await
}
