//! What an XCCOS document is made of (xccos.md §§4–6).

/// Why a body is not XCCOS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not XCCOS: {0}")]
pub struct XccosError(pub String);

/// One document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Unique per sender; real servers use 63 bits.
    pub envid: u64,
    /// What it carries.
    pub elements: Vec<Element>,
}

/// One element of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// A command.
    Command {
        /// `cmd:join`, lower case.
        id: String,
        /// Number within the envelope.
        seqid: u32,
        /// Arguments.
        data: Data,
    },
    /// A reply.
    Reply {
        /// `rpl:join`, lower case.
        id: String,
        /// Number within the envelope.
        seqid: u32,
        /// seqid and envid of the command it answers: the correlation key.
        command: Option<(u32, u64)>,
        /// 200 or an error.
        code: u16,
        /// Text of the code.
        text: String,
        /// Results.
        data: Data,
    },
    /// A notice.
    Notice {
        /// `ntc:join`, lower case.
        id: String,
        /// Content.
        data: Data,
    },
    /// A chat message.
    Chat(Chat),
}

/// A chat message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chat {
    /// Number within the envelope.
    pub seqid: u32,
    /// Room URI.
    pub chan_uri: String,
    /// Author's SIP address.
    pub author: String,
    /// Author's display name (from the server).
    pub authdisp: Option<String>,
    /// Whether it is an alert.
    pub alert: bool,
    /// Number of the message in the room (from the server).
    pub chat_id: Option<u64>,
    /// ISO 8601 UTC; mandatory from a client.
    pub ts: String,
    /// Plain text.
    pub text: String,
    /// RTF alternative.
    pub rtf: Option<String>,
}

/// A room as replies describe it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChanIb {
    /// `ma-chan://…`.
    pub uri: String,
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Topic.
    pub topic: Option<String>,
    /// `ma-cat://…`.
    pub parent: Option<String>,
    /// `NORMAL` or `AUDITORIUM`.
    pub behavior: Option<String>,
    /// Roles: key and comma list of `uib` ids.
    pub aibs: Vec<(String, String)>,
    /// `info` children: id and text.
    pub infos: Vec<(String, String)>,
    /// `prop` children: id and text.
    pub props: Vec<(String, String)>,
    /// History (`rpl:bccontext`).
    pub msgs: Vec<Chat>,
    /// Users (`ntc:part`).
    pub uibs: Vec<Uib>,
    /// `bcq/last cnt`.
    pub last: Option<u32>,
}

/// A user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uib {
    /// Number within the document.
    pub id: Option<u32>,
    /// SIP address.
    pub uri: String,
    /// Display name.
    pub disp: Option<String>,
    /// Rooms entered (`ntc:join`): key, domain, room id.
    pub aibs: Vec<(String, String, String)>,
}

/// What stands in `data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Reference to a room by key, domain and id.
    ChanId {
        /// Number in the list.
        key: u32,
        /// SIP domain.
        domain: String,
        /// Room id.
        value: String,
    },
    /// A room.
    ChanIb(ChanIb),
    /// A user.
    Uib(Uib),
    /// A room that failed.
    Fib {
        /// `OPERATION_FAILED`.
        key: String,
        /// Room id.
        value: String,
        /// SIP domain.
        domain: String,
    },
    /// A room search.
    Qib {
        /// `BYNAME`.
        qtype: String,
        /// What to look for.
        criteria: String,
    },
    /// Anything else, by name and attributes.
    Other {
        /// Element name.
        name: String,
        /// Attributes.
        attrs: Vec<(String, String)>,
    },
}

/// The items of a `data` element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Data(pub Vec<Item>);

impl Data {
    /// One item.
    pub fn one(item: Item) -> Self {
        Self(vec![item])
    }

    /// Rooms.
    pub fn rooms(&self) -> impl Iterator<Item = &ChanIb> {
        self.0.iter().filter_map(|i| if let Item::ChanIb(c) = i { Some(c) } else { None })
    }

    /// Users.
    pub fn users(&self) -> impl Iterator<Item = &Uib> {
        self.0.iter().filter_map(|i| if let Item::Uib(u) = i { Some(u) } else { None })
    }

    /// Whether a room failed.
    pub fn failed(&self) -> bool {
        self.0.iter().any(|i| matches!(i, Item::Fib { .. }))
    }
}
