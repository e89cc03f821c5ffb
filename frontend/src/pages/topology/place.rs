//! *Where it runs*: the field that every server and store has.

use std::net::IpAddr;

use leptos::prelude::*;
use shared::Fqdn;
use shared::api::NodeView;
use shared::events::Topic;
use shared::topology::Placement;
use shared::topology::validate::check_own_address;

use crate::api::use_data;
use crate::components::{RadioGroup, SelectField, TextField};

/// What the place is asked for; decides which choices there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceOf {
    /// A Front End or Persistent Chat server.
    Server,
    /// A SQL Server store.
    SqlStore,
    /// A file store.
    FileStore,
}

type Choice = (String, String, String);

impl PlaceOf {
    fn choices(self) -> Vec<Choice> {
        let choice = |v: &str, words: &str, text: &str| (v.to_owned(), words.to_owned(), text.to_owned());
        let here = match self {
            Self::Server => "In this process, on a loopback address of its own. Nothing has to be installed.",
            Self::SqlStore => "In the data directory of this portal. Nothing has to be installed.",
            Self::FileStore => "\\\\server\\share maps to a folder of the data directory.",
        };
        let elsewhere = match self {
            Self::Server => Some(choice(
                "address",
                "At this address",
                "On a machine of its own; its name must resolve and its ports answer before publishing.",
            )),
            // A SQL Server elsewhere is driven by a person.
            Self::SqlStore => None,
            Self::FileStore => Some(choice(
                "address",
                "In this folder",
                "A folder of this machine, for example a mounted share.",
            )),
        };
        let mut all = vec![choice("here", "Run here", here)];
        all.extend(elsewhere);
        if self != Self::FileStore {
            let text = "In a process of this program on another machine; Settings, Nodes adds one.";
            all.insert(1, choice("node", "On a node", text));
        }
        if self == Self::Server {
            let text = "In this process, where other machines reach it. Clients need a Front End with such an address.";
            all.insert(1, choice("here_at", "Run here, at an address of this machine", text));
        }
        if self == Self::SqlStore {
            all.push(choice(
                "guided",
                "SQL Server, guided",
                "A person carries out printed steps on the SQL Server; nothing is checked from here.",
            ));
        }
        all
    }

    /// What is wrong with the address.
    fn wrong(self, p: &Placement) -> Option<String> {
        let a = match p {
            Placement::Node(n) if n.is_empty() => return Some("Choose the node.".to_owned()),
            Placement::HereAt(a) => return check_own_address(a).err(),
            Placement::Address(a) => a,
            _ => return None,
        };
        let text = a.trim();
        match self {
            Self::FileStore if text.is_empty() => {
                Some("Enter the folder, for example /srv/chatfiles.".to_owned())
            }
            Self::FileStore => {
                (!text.starts_with('/')).then(|| "Enter the whole path, starting with /.".to_owned())
            }
            Self::SqlStore => Some("Choose Run here, a node, or SQL Server, guided.".to_owned()),
            Self::Server if text.is_empty() || text.parse::<IpAddr>().is_ok() => None,
            Self::Server => Fqdn::try_from(text).err().map(|e| e.0),
        }
    }
}

/// The choice as a word, and as the radio button's value.
fn value_of(p: &Placement) -> &'static str {
    match p {
        Placement::RunHere => "here",
        Placement::Address(_) => "address",
        Placement::SqlServerGuided => "guided",
        Placement::Node(_) => "node",
        Placement::HereAt(_) => "here_at",
    }
}

/// The word that the parameter `Placement` of the topology cmdlets takes.
pub fn word(p: &Placement) -> String {
    match p {
        Placement::RunHere => "RunHere".to_owned(),
        Placement::SqlServerGuided => "Guided".to_owned(),
        Placement::Node(n) => format!("Node:{n}"),
        Placement::HereAt(a) => format!("Here:{}", a.trim()),
        Placement::Address(a) if a.trim().is_empty() => "Dns".to_owned(),
        Placement::Address(a) => a.trim().to_owned(),
    }
}

/// The field.
#[component]
pub fn PlaceField(
    /// What the place is asked for.
    of: PlaceOf,
    /// The place.
    value: RwSignal<Placement>,
    /// The parameter it fills.
    #[prop(default = "Placement")]
    name: &'static str,
    /// What is wrong with it besides its form.
    #[prop(optional, into)]
    problem: Signal<Option<String>>,
    /// Called after each change.
    #[prop(optional, into)]
    on_change: Option<Callback<Placement>>,
) -> impl IntoView {
    let choice = RwSignal::new(String::new());
    let address = RwSignal::new(String::new());
    // Shown as the place is, also when it was changed elsewhere.
    Effect::new(move |_| {
        let p = value.get();
        choice.set(value_of(&p).to_owned());
        if let Placement::Address(a) | Placement::HereAt(a) = p
            && address.with_untracked(|x| *x != a)
        {
            address.set(a);
        }
    });
    let set = move |p: Placement| {
        value.set(p.clone());
        if let Some(f) = on_change {
            f.run(p);
        }
    };
    let choose = move |v: String| {
        set(match v.as_str() {
            "address" => Placement::Address(address.get_untracked()),
            "guided" => Placement::SqlServerGuided,
            "node" => Placement::Node(String::new()),
            "here_at" => Placement::HereAt(address.get_untracked()),
            _ => Placement::RunHere,
        });
    };
    let on_node = Memo::new(move |_| value.with(|p| matches!(p, Placement::Node(_))));
    let elsewhere = Memo::new(move |_| {
        value.with(|p| match p {
            Placement::Address(_) => Some(false),
            Placement::HereAt(_) => Some(true),
            _ => None,
        })
    });
    let wrong = Signal::derive(move || value.with(|p| of.wrong(p)).or_else(|| problem.get()));
    let label = if of == PlaceOf::Server { "Where it runs" } else { "Where it is" };
    view! {
        <div class="where-it-is">
            <RadioGroup label value=choice options=of.choices() on_change=choose />
            {move || on_node.get().then(|| {
                let node = RwSignal::new(String::new());
                Effect::new(move |_| if let Placement::Node(n) = value.get() { node.set(n) });
                let chosen = move |n: String| set(Placement::Node(n));
                let list = use_data::<Vec<NodeView>>(|| "nodes".to_owned(), &[Topic::Server]);
                let options = Signal::derive(move || {
                    let known = list.value.get().unwrap_or_default();
                    known.iter().map(|n| (n.name.clone(), format!("{} ({})", n.name, n.state))).collect::<Vec<_>>()
                });
                view! { <SelectField label="Node" name value=node options required=true on_change=chosen /> }
            })}
            {move || elsewhere.get().map(|own| {
                let typed = move |a: String| set(if own { Placement::HereAt(a) } else { Placement::Address(a) });
                let help = if own {
                    "An IP address of this machine that clients reach."
                } else {
                    "An IP address or a name. Left empty, its own FQDN is looked up in DNS."
                };
                if of == PlaceOf::FileStore {
                    view! { <TextField label="Folder" name value=address required=true mono=true problem=wrong on_change=typed /> }.into_any()
                } else {
                    view! {
                        <TextField label="Address" name value=address mono=true problem=wrong on_change=typed help=move || help />
                    }.into_any()
                }
            })}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use shared::cmdlets::placement;

    use super::*;

    #[test]
    fn the_cmdlets_read_what_the_page_writes() {
        let all = [
            Placement::RunHere,
            Placement::SqlServerGuided,
            Placement::Node("n1".to_owned()),
            Placement::HereAt("192.0.2.10".to_owned()),
            Placement::Address(String::new()),
            Placement::Address("10.0.0.7".to_owned()),
        ];
        for p in all {
            assert_eq!(placement(Some(&word(&p))), p);
        }
    }

    #[test]
    fn addresses() {
        let at = |s: &str| Placement::Address(s.to_owned());
        assert_eq!(PlaceOf::Server.wrong(&at("")), None);
        assert_eq!(PlaceOf::Server.wrong(&at("10.1.2.3")), None);
        assert!(PlaceOf::SqlStore.wrong(&at("sql01.contoso.com")).is_some());
        assert!(PlaceOf::Server.wrong(&at("not a name")).is_some());
        assert!(PlaceOf::FileStore.wrong(&at("")).is_some());
        assert_eq!(PlaceOf::FileStore.wrong(&at("/srv/x")), None);
        assert_eq!(PlaceOf::FileStore.wrong(&Placement::RunHere), None);
    }
}
