//! The app: its state, and which page is shown.

use std::cell::OnceCell;

use leptos::prelude::*;
use shared::Timestamp;
use shared::api::Session;

use crate::api::live::{self, Live};
use crate::components::act::Acts;
use crate::components::layout::Layout;
use crate::components::load_error::LoadError;
use crate::components::palette;
use crate::components::sign_in::SignInDialog;
use crate::components::toasts::{ToastList, Toasts};
use crate::nav::{self, Place};
use crate::pages;
use crate::routes::Route;
use crate::{session, time};

/// State that outlives every page.
#[derive(Clone, Copy)]
pub struct App {
    /// The browser's address.
    pub place: RwSignal<Place>,
    /// A page with the one above it, when its address does not tell that.
    pub above: RwSignal<Option<(Route, Route)>>,
    /// Who is signed in.
    pub session: RwSignal<Option<Session>>,
    /// The session ended and requests wait for a sign-in.
    pub session_ended: RwSignal<bool>,
    /// Live events.
    pub live: Live,
    /// The act whose plan is shown.
    pub acts: Acts,
    /// Whether search and commands (Ctrl+K) are open.
    pub palette: RwSignal<bool>,
    /// Short messages.
    pub toasts: Toasts,
    /// Now, for relative times.
    pub now: RwSignal<Timestamp>,
}

thread_local!(static APP: OnceCell<App> = const { OnceCell::new() });

/// The app's state.
pub fn app() -> App {
    APP.with(|a| a.get().copied()).expect("Root makes the state before any page or request uses it")
}

impl App {
    /// Makes the state; belongs to the root of the page, which is never dropped.
    fn install() {
        let state = Self {
            place: RwSignal::new(Place::current()),
            above: RwSignal::new(None),
            session: RwSignal::new(None),
            session_ended: RwSignal::new(false),
            live: Live::default(),
            acts: Acts::default(),
            palette: RwSignal::new(false),
            toasts: Toasts::default(),
            now: RwSignal::new(time::now()),
        };
        APP.with(|a| {
            if a.set(state).is_err() {
                leptos::logging::warn!("the page was started twice");
            }
        });
        nav::listen();
        palette::listen();
        time::start_ticking();
    }
}

/// The root of the page.
#[component]
pub fn Root() -> impl IntoView {
    App::install();
    let state = app();
    let first = LocalResource::new(session::reload);
    let failed = Memo::new(move |_| first.with(|r| r.as_ref().and_then(|r| r.as_ref().err().cloned())));
    // What stands on the page hangs on two facts only; a new expiry of the session rebuilds nothing.
    let phase = Memo::new(move |_| state.session.with(|s| s.as_ref().map(Phase::of)));
    Effect::new(move |_| {
        if phase.get() == Some(Phase::SignedIn) {
            live::start();
        }
    });
    let by_link = Memo::new(move |_| state.place.with(|p| Route::parse(&p.path) == Route::SetPassword));
    view! {
        {move || match phase.get() {
            // Whoever has a link sets a password, signed in or not.
            _ if by_link.get() => view! { <pages::password_link::PasswordLinkPage /> }.into_any(),
            None => view! { <Starting error=failed on_retry=move || first.refetch() /> }.into_any(),
            Some(Phase::Setup) => view! { <pages::setup::SetupPage /> }.into_any(),
            Some(Phase::SignedOut) => view! { <pages::login::LoginPage /> }.into_any(),
            Some(Phase::MustChange) => view! { <pages::account::ChangeFirst /> }.into_any(),
            Some(Phase::SignedIn) => view! { <Layout><Screen /></Layout> }.into_any(),
        }}
        <SignInDialog />
        <ToastList />
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Setup,
    SignedOut,
    MustChange,
    SignedIn,
}

impl Phase {
    fn of(s: &Session) -> Self {
        match (&s.account, s.setup_needed) {
            (Some(a), _) if a.must_change => Self::MustChange,
            (Some(_), _) => Self::SignedIn,
            (None, true) => Self::Setup,
            (None, false) => Self::SignedOut,
        }
    }
}

/// Before the portal answered for the first time.
#[component]
fn Starting(
    error: Memo<Option<shared::ApiError>>,
    on_retry: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    view! {
        <main class="alone" id="main">
            <h1>"Lifeguard"</h1>
            {move || match error.get() {
                Some(e) => view! { <LoadError error=e on_retry=Callback::new(move |()| on_retry()) /> }.into_any(),
                None => view! { <p role="status">"Asking the portal who is signed in …"</p> }.into_any(),
            }}
        </main>
    }
}

/// The page of the address.
#[component]
fn Screen() -> impl IntoView {
    let route = nav::use_route();
    let screen = Memo::new(move |_| route.with(Route::screen));
    move || match screen.get() {
        Route::Setup | Route::Login | Route::SetPassword => {
            nav::replace("/");
            ().into_any()
        }
        Route::Account => view! { <pages::account::AccountPage /> }.into_any(),
        Route::Overview => view! { <pages::overview::OverviewPage /> }.into_any(),
        Route::Topology | Route::TopologyObject(_, _) => {
            view! { <pages::topology::TopologyPage /> }.into_any()
        }
        Route::TopologyNew(kind) => view! { <pages::topology::NewObjectPage kind /> }.into_any(),
        Route::WizardStart => view! { <pages::wizard::WizardStart /> }.into_any(),
        Route::Wizard(id, _) => view! { <pages::wizard::WizardPage id /> }.into_any(),
        Route::Publish => view! { <pages::publish::PublishPage /> }.into_any(),
        Route::Versions => view! { <pages::topology::VersionsPage /> }.into_any(),
        Route::Job(id) => view! { <pages::publish::JobPage id /> }.into_any(),
        Route::Pools => view! { <pages::pools::PoolsPage /> }.into_any(),
        Route::Pool(fqdn, _) => view! { <pages::pools::PoolPage fqdn /> }.into_any(),
        Route::Endpoints => view! { <pages::endpoints::EndpointsPage /> }.into_any(),
        Route::Rooms => view! { <pages::rooms::RoomsPage /> }.into_any(),
        Route::RoomNew => view! { <pages::rooms::NewRoomPage /> }.into_any(),
        Route::CategoryNew => view! { <pages::rooms::NewCategoryPage /> }.into_any(),
        Route::Room(pool, name) => view! { <pages::rooms::RoomPage pool name /> }.into_any(),
        Route::Category(pool, name) => view! { <pages::rooms::CategoryPage pool name /> }.into_any(),
        Route::Users => view! { <pages::people::UsersPage /> }.into_any(),
        Route::UserNew => view! { <pages::people::NewUserPage /> }.into_any(),
        Route::UserImport => view! { <pages::people::ImportUsersPage /> }.into_any(),
        Route::Groups => view! { <pages::people::GroupsPage /> }.into_any(),
        Route::Group(name) => view! { <pages::people::GroupPage name /> }.into_any(),
        Route::Policies => view! { <pages::people::PoliciesPage /> }.into_any(),
        Route::Tests | Route::Test(_) => view! { <pages::test_message::TestsPage /> }.into_any(),
        Route::Shell => view! { <pages::shell::ShellPage /> }.into_any(),
        Route::Audit => view! { <pages::audit::AuditPage /> }.into_any(),
        Route::Sharing => view! { <pages::sharing::SharingPage /> }.into_any(),
        Route::Settings(_) => view! { <pages::settings::SettingsPage /> }.into_any(),
        Route::NotFound => view! { <pages::NotFoundPage /> }.into_any(),
    }
}
