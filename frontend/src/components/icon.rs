//! Icons: strokes on a 16-unit grid, drawn in the colour of the text beside them. None stands alone
//! without words for a screen reader.

use leptos::prelude::*;

/// An icon by what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say what they show")]
pub enum Icon {
    Overview,
    Topology,
    Pools,
    Endpoints,
    Rooms,
    Users,
    Policies,
    Test,
    Shell,
    Audit,
    Sharing,
    Settings,
    Menu,
    Close,
    Tick,
    Cross,
    Warning,
    Info,
    Question,
    Person,
    Swap,
    Progress,
    Broken,
    Copy,
    Download,
    Arrow,
    Down,
    Retry,
    Search,
    Plus,
    Live,
    Stop,
    Lock,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Overview => "M2 9.5a6 6 0 0 1 12 0M8 9.5l3-3M2 12.5h12",
            Self::Topology => "M6 2.5h4v3H6zM2 10.5h4v3H2zM10 10.5h4v3h-4zM8 5.5V8M4 10.5V8h8v2.5",
            Self::Pools => "M2.5 3h11v3.5h-11zM2.5 9.5h11V13h-11zM5 4.75h.01M5 11.25h.01M8 4.75h3M8 11.25h3",
            Self::Endpoints => {
                "M8 14s4.5-4.2 4.5-7.5a4.5 4.5 0 0 0-9 0C3.5 9.8 8 14 8 14zM8 8a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z"
            }
            Self::Rooms => "M2.5 3h11v7.5H8L4.5 13.5v-3h-2zM5 6h6M5 8h4",
            Self::Users => {
                "M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 13.5c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4M10.5 2.9a2.3 2.3 0 0 1 0 4.3M12 9.8c1.500.5 2.5 1.8 2.5 3.7"
            }
            Self::Policies => {
                "M8 1.8l5.5 2v4c0 3.2-2.3 5.4-5.5 6.4-3.2-1-5.5-3.2-5.5-6.4v-4zM5.5 8l1.8 1.8L10.7 6.4"
            }
            Self::Test => "M1.5 8.5h3l2-5 3 9 2-4h3",
            Self::Shell => "M2 2.5h12v11H2zM4.5 6l2 2-2 2M8.5 10.2h3",
            Self::Audit => "M3.5 1.8h6.5l2.5 2.5v9.9h-9zM5.5 6.5h5M5.5 9h5M5.5 11.5h3",
            Self::Sharing => {
                "M6.5 9.5l3-3M7 4.5l1.3-1.3a2.8 2.8 0 0 1 4 4L11 8.5M9 11.5l-1.3 1.3a2.8 2.8 0 0 1-4-4L5 7.5"
            }
            Self::Settings => "M2 4.5h7M12 4.5h2M2 11.5h2M7 11.5h7M10.5 3v3M5.5 10v3",
            Self::Menu => "M2 4h12M2 8h12M2 12h12",
            Self::Close => "M3.5 3.5l9 9M12.5 3.5l-9 9",
            Self::Tick => "M3 8.5l3.3 3.3L13 4.8",
            Self::Cross => "M4 4l8 8M12 4l-8 8",
            Self::Warning => "M8 2l6.5 11.5h-13zM8 6.5v3.2M8 11.7h.01",
            Self::Info => "M8 14.3A6.3 6.3 0 1 0 8 1.7a6.3 6.3 0 0 0 0 12.6zM8 7.3v3.7M8 5h.01",
            Self::Question => {
                "M8 14.3A6.3 6.3 0 1 0 8 1.7a6.3 6.3 0 0 0 0 12.6zM6.2 6.3a1.8 1.8 0 1 1 2.5 1.7c-.500.2-.700.6-.7 1.1M8 11.2h.01"
            }
            Self::Person => {
                "M8 7.5a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4zM2.8 14c0-2.8 2.3-4.5 5.2-4.5s5.2 1.7 5.2 4.5"
            }
            Self::Swap => "M2 5h10.5M10 2.5L12.5 5 10 7.5M14 11H3.5M6 8.5L3.5 11 6 13.5",
            Self::Progress => "M8 1.8a6.2 6.2 0 1 1-6.2 6.2M8 4.5V8l2.3 1.5",
            Self::Broken => {
                "M6.5 4.5l1.8-1.8a2.8 2.8 0 0 1 4 4l-1.8 1.8M9.5 11.5l-1.8 1.8a2.8 2.8 0 0 1-4-4l1.8-1.8M3 3l10 10"
            }
            Self::Copy => "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
            Self::Download => "M8 2v8M4.7 7L8 10.3 11.3 7M2.5 13.5h11",
            Self::Arrow => "M3 8h10M9 4l4 4-4 4",
            Self::Down => "M4 6l4 4 4-4",
            Self::Retry => "M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 2v3.2h-3.2",
            Self::Search => "M7 11.8A4.8 4.8 0 1 0 7 2.2a4.8 4.8 0 0 0 0 9.6zM10.5 10.5L14 14",
            Self::Plus => "M8 3v10M3 8h10",
            Self::Live => {
                "M8 9a1 1 0 1 0 0-2 1 1 0 0 0 0 2zM4.8 11.2a4.5 4.5 0 0 1 0-6.4M11.2 4.8a4.5 4.5 0 0 1 0 6.4"
            }
            Self::Stop => "M4 4h8v8H4z",
            Self::Lock => "M3.5 7.5h9v6h-9zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
        }
    }

    /// The drawing; hidden from screen readers.
    pub fn draw(self) -> AnyView {
        view! {
            <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
                <path d=self.path() />
            </svg>
        }
        .into_any()
    }
}
