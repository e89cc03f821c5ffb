//! Chat users from a table that somebody saved from a spreadsheet: all of them in one transaction, or none.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use base64::Engine as _;
use rusqlite::Connection;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::cmdlets::ImportLgUser;
use shared::error::{ApiError, ErrorCode, Problem};
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::Topology;
use store::management::directory::{self, User};
use store::management::people::Kind;
use store::management::{groups, pools};

use super::groups::{MAX_MEMBERS, People};
use super::names::Seen;
use super::password_links::{self, NewLink};
use super::{published, users};
use crate::csv_table::{self, Table};
use crate::door::{Cx, Fault, Handler, Outcome};

/// Problems that a plan names one by one.
const SHOWN: usize = 200;
/// Fields of a user, and the headings (letters only) under which they are found.
const FIELDS: [(&str, &[&str]); 6] = [
    ("SipAddress", &["sipaddress", "sip", "sipuri"]),
    ("DisplayName", &["displayname", "name", "fullname"]),
    ("LogonName", &["logonname", "samaccountname", "logon", "login", "loginname"]),
    ("RegistrarPool", &["registrarpool", "homepool", "homefrontendpool", "frontendpool"]),
    ("OU", &["ou", "organizationalunit"]),
    ("Groups", &["groups", "group", "memberof"]),
];
/// What stands between the groups of a cell; names cannot hold it.
const BETWEEN_GROUPS: char = '|';

/// What becomes of a row.
enum Fate {
    /// With the groups that he becomes a member of.
    Create(User, Vec<String>),
    Stays(String),
}

/// What was read of the file, and what each row does.
struct Import {
    rows: Vec<(u64, Fate)>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    unused: Vec<String>,
    /// Encoding, separator, digest.
    file: String,
}

/// Where the fields stand: a column for each of [`FIELDS`].
fn columns(t: &Table) -> Result<([Option<usize>; 6], Vec<String>), ApiError> {
    let plain = |h: &str| h.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let mut found = [None; 6];
    let mut unused = Vec::new();
    for (i, heading) in t.headings.iter().enumerate() {
        let word = plain(heading);
        match FIELDS.iter().position(|(_, words)| words.contains(&word.as_str())) {
            Some(f) if found[f].is_none() => found[f] = Some(i),
            Some(f) => {
                let text = format!(
                    "Two columns are {}: '{}' and '{heading}'.",
                    FIELDS[f].0,
                    t.headings[found[f].unwrap_or(0)]
                );
                return Err(ApiError::invalid("Csv", text));
            }
            None => unused.push(heading.clone()),
        }
    }
    let missing: Vec<_> = (0..3).filter(|f| found[*f].is_none()).map(|f| FIELDS[f].0).collect();
    if !missing.is_empty() {
        let text = format!(
            "The first line is to have the headings SipAddress, DisplayName, LogonName and, where there are several \
             Front End pools, RegistrarPool. Not found: {}.",
            missing.join(", ")
        );
        return Err(ApiError::invalid("Csv", text));
    }
    Ok((found, unused))
}

/// What is there already, and what earlier rows take; addresses and log-on names in lower case.
struct Taken {
    users: HashMap<String, String>,
    addresses: HashMap<String, u64>,
    logons: HashMap<String, u64>,
    endpoints: HashSet<String>,
    groups: People,
    /// How many members groups have.
    sizes: HashMap<String, u64>,
    /// What people are called, and how they log on, to tell what looks alike.
    display: Seen,
    logon_shapes: Seen,
}

impl Taken {
    fn read(c: &Connection) -> Result<Self, Fault> {
        let users = directory::users(c)?;
        let (mut display, mut logon_shapes) = (Seen::default(), Seen::default());
        for u in &users {
            display.add(&u.display_name, None);
            logon_shapes.add(&u.logon_name, None);
        }
        Ok(Self {
            display,
            logon_shapes,
            sizes: groups::groups(c)?.into_iter().map(|g| (g.dn, g.members)).collect(),
            logons: users.iter().map(|u| (u.logon_name.to_lowercase(), 0)).collect(),
            users: users.into_iter().map(|u| (u.sip_address.to_string(), u.display_name)).collect(),
            addresses: HashMap::new(),
            groups: People::groups(c)?,
            endpoints: pools::endpoints(c)?.into_iter().map(|e| e.sip_address.to_string()).collect(),
        })
    }
}

fn table_of(a: &ImportLgUser) -> Result<(Table, String), ApiError> {
    let (text, encoding) = match (&a.csv, &a.file) {
        (Some(text), None) => (text.clone(), "text"),
        (None, Some(file)) => {
            let code = file.rsplit_once(',').map_or(file.as_str(), |(_, code)| code);
            let bytes = base64::engine::general_purpose::STANDARD.decode(code.trim());
            let bytes = bytes.map_err(|_| ApiError::invalid("File", "This is not base64."))?;
            csv_table::decode(&bytes)
        }
        _ => return Err(ApiError::invalid("Csv", "Give either -Csv or -File.")),
    };
    let table = csv_table::parse(&text).map_err(|e| ApiError::invalid("Csv", e))?;
    let between = match table.separator {
        ';' => "semicolons",
        '\t' => "tabs",
        _ => "commas",
    };
    let digest = hex::encode(&Sha256::digest(text.as_bytes())[..8]);
    Ok((table, format!("{encoding}, separated by {between}, SHA-256 {digest}…")))
}

/// Reads the file and says what each row does; nothing is changed.
fn examine(a: &ImportLgUser, c: &Connection, now: shared::Timestamp) -> Result<Import, Fault> {
    let (table, file) = table_of(a)?;
    let (found, unused) = columns(&table)?;
    let t = published(c)?;
    let only = match t.front_end_pools.as_slice() {
        [one] => Some(one.fqdn.to_string()),
        _ => None,
    };
    let home = a.registrar_pool.clone().or(only).unwrap_or_default();
    if let Some(pool) = &a.registrar_pool {
        users::front_end(&t, pool)?;
    }
    let mut taken = Taken::read(c)?;
    let mut import = Import { rows: Vec::new(), problems: Vec::new(), warnings: Vec::new(), unused, file };
    for (line, cells) in &table.rows {
        let cell = |f: usize| found[f].and_then(|i| cells.get(i)).map_or("", String::as_str);
        let Import { problems, warnings, .. } = &mut import;
        let mut row = Row { line: *line, problems, warnings, found: &found, table: &table };
        if cells.len() > table.headings.len() {
            let text = format!(
                "{} cells under {} headings. A cell that holds the separator stands in quotes.",
                cells.len(),
                table.headings.len()
            );
            row.wrong(None, &text);
        }
        let pool = if cell(3).is_empty() { &home } else { cell(3) };
        if let Some(fate) =
            fate(a, &t, &mut taken, &mut row, [cell(0), cell(1), cell(2), pool, cell(4), cell(5)], now)
        {
            import.rows.push((*line, fate));
        }
    }
    Ok(import)
}

fn fate(
    a: &ImportLgUser,
    t: &Topology,
    taken: &mut Taken,
    row: &mut Row<'_>,
    [sip, name, logon, pool, ou, groups]: [&str; 6],
    now: shared::Timestamp,
) -> Option<Fate> {
    for (f, cell) in [(1, name), (2, logon)] {
        if csv_table::is_formula(cell) {
            row.wrong(
                Some(f),
                "It begins like a formula of a spreadsheet; a name does not begin with = + - or @.",
            );
        }
    }
    let prefixed = if sip.get(..4).is_some_and(|p| p.eq_ignore_ascii_case("sip:")) {
        sip.to_owned()
    } else {
        format!("sip:{sip}")
    };
    let address = row.take(0, users::check_sip(t, &prefixed));
    if let Some(sip) = &address {
        if let Some(known) = taken.users.get(sip.as_str()) {
            if a.skip_existing {
                return Some(Fate::Stays(known.clone()));
            }
            row.wrong(
                Some(0),
                &format!("{sip} exists already. Leave the row out, or skip those that exist."),
            );
        }
        if taken.endpoints.contains(sip.as_str()) {
            row.wrong(Some(0), &format!("{sip} is the address of an endpoint."));
        }
        if let Some(earlier) = taken.addresses.insert(sip.to_string(), row.line) {
            row.wrong(Some(0), &format!("{sip} stands in row {earlier} already."));
        }
    }
    let display_name = row.take(1, users::check_name(name));
    if let Some(n) = &display_name
        && let Some((other, earlier)) = taken.display.add(n, Some(row.line))
    {
        let text = alike(&other, earlier);
        match earlier {
            Some(_) => row.wrong(Some(1), &text),
            // New-LgUser warns of it as well.
            None => row.warn(1, &text),
        }
    }
    let logon_name = row.take(2, users::check_logon(logon));
    if let Some(l) = &logon_name {
        if let Some((other, earlier)) = taken.logon_shapes.add(l, Some(row.line)) {
            row.wrong(Some(2), &alike(&other, earlier));
        }
        match taken.logons.insert(l.to_lowercase(), row.line) {
            Some(0) => row.wrong(Some(2), &format!("The log-on name {l} is in use.")),
            Some(earlier) => {
                row.wrong(Some(2), &format!("The log-on name {l} stands in row {earlier} already."));
            }
            None => {}
        }
    }
    let front_end = if pool.is_empty() {
        row.wrong(Some(3), "No Front End pool is given, and there is not only one.");
        None
    } else {
        row.take(3, users::front_end(t, pool))
    };
    let ou = match ou.trim() {
        "" => Some(String::new()),
        ou => row.take(4, users::check_ou(ou)),
    };
    let mut member_of = Vec::new();
    for group in groups.split(BETWEEN_GROUPS).map(str::trim).filter(|g| !g.is_empty()) {
        member_of.extend(row.take(5, taken.groups.one(group, "Groups")));
    }
    for group in &member_of {
        let size = taken.sizes.entry(group.clone()).or_default();
        *size += 1;
        // Said once: of the row that is the first too many.
        if *size == MAX_MEMBERS as u64 + 1 {
            row.wrong(Some(5), &format!("The group {group} would have more than {MAX_MEMBERS} members."));
        }
    }
    let user = User {
        sip_address: address?,
        display_name: display_name?,
        logon_name: logon_name?,
        front_end: front_end?.id,
        enabled: true,
        secrets: Vec::new(),
        policy: None,
        created: now,
        ou: ou?,
    };
    Some(Fate::Create(user, member_of))
}

/// What is said of a name that looks like an earlier one.
fn alike(other: &str, earlier: Option<u64>) -> String {
    let place = earlier
        .map_or_else(|| "which is there already".to_owned(), |line| format!("which stands in row {line}"));
    format!("It looks like the name {other}, {place}, with letters of another script or form.")
}

/// The row under examination, and where its problems go.
struct Row<'a> {
    line: u64,
    problems: &'a mut Vec<Problem>,
    warnings: &'a mut Vec<Problem>,
    found: &'a [Option<usize>; 6],
    table: &'a Table,
}

impl Row<'_> {
    /// The path of a cell, and the text with its place before it.
    fn placed(&self, field: Option<usize>, text: &str) -> (String, String) {
        let heading = field.map(|f| {
            self.found[f].and_then(|i| self.table.headings.get(i)).map_or(FIELDS[f].0, String::as_str)
        });
        let at = heading.map_or_else(|| format!("Row {}", self.line), |h| format!("Row {}, {h}", self.line));
        let path = field
            .map_or_else(|| format!("Rows.{}", self.line), |f| format!("Rows.{}.{}", self.line, FIELDS[f].0));
        (path, format!("{at}: {text}"))
    }

    fn wrong(&mut self, field: Option<usize>, text: &str) {
        let (path, text) = self.placed(field, text);
        self.problems.push(Problem::error("import.row", path, text, ""));
    }

    fn warn(&mut self, field: usize, text: &str) {
        let (path, text) = self.placed(Some(field), text);
        self.warnings.push(Problem::warning("name.like", path, text, ""));
    }

    fn take<T>(&mut self, field: usize, checked: Result<T, ApiError>) -> Option<T> {
        checked.map_err(|e| self.wrong(Some(field), &e.message)).ok()
    }
}

#[async_trait]
impl Handler for ImportLgUser {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let link = password_links::wanted(self.one_time_link, self.link_hours, None)?;
        let mut import = cx.read(|c| examine(self, c, cx.now()))?;
        let t = cx.topology()?;
        let stays = import.rows.iter().filter(|r| matches!(r.1, Fate::Stays(_))).count();
        let new = import.rows.len() - stays;
        let mut p = Plan { confirm: Confirm::Ask, ..Plan::default() };
        let users = if new == 1 { "1 chat user".to_owned() } else { format!("{new} chat users") };
        p.sentences.push(format!("Create {users} ({}).", import.file));
        if stays > 0 {
            p.sentences.push(match stays {
                1 => "The user of 1 row exists and stays as it is.".to_owned(),
                n => format!("The users of {n} rows exist and stay as they are."),
            });
        }
        p.sentences.push(match link {
            Some(hours) => format!(
                "Make a link for each with which the user sets a password, once, within {hours} hours."
            ),
            None => "They have no password, so they cannot sign in before they get one.".to_owned(),
        });
        for (line, fate) in &import.rows {
            let row = format!("Row {line}");
            p.changes.push(match fate {
                Fate::Create(u, groups) => {
                    let pool = t.front_end_pool(&u.front_end).map(|f| f.fqdn.to_string()).unwrap_or_default();
                    let mut after = format!("{} · {} · {pool}", u.display_name, u.logon_name);
                    for more in Some(&u.ou).filter(|o| !o.is_empty()).into_iter().chain(groups) {
                        after.push_str(" · ");
                        after.push_str(more);
                    }
                    PlannedChange::new(u.sip_address.as_str(), row, "", after)
                }
                Fate::Stays(name) => PlannedChange::new(name, row, name, "stays as it is"),
            });
        }
        let more = import.problems.len().saturating_sub(SHOWN);
        import.problems.truncate(SHOWN);
        if more > 0 {
            import.problems.push(Problem::error(
                "import.row",
                "Rows",
                format!("And {more} problems more."),
                "",
            ));
        }
        p.blockers = import.problems;
        if new == 0 && p.blockers.is_empty() {
            p.blockers.push(Problem::error("import.none", "Csv", "No row creates a user.", ""));
        }
        let unused = |h: &String| {
            Problem::warning("import.column", "Csv", format!("The column '{h}' is not used."), "")
        };
        p.warnings = import.unused.iter().filter(|h| !h.is_empty()).map(unused).collect();
        p.warnings.extend(import.warnings.into_iter().take(SHOWN));
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let hours = password_links::wanted(self.one_time_link, self.link_hours, None)?;
        let made = cx.commit(&p.sentences.join(" "), |tx| {
            let import = examine(self, tx, cx.now())?;
            if let Some(first) = import.problems.first() {
                return Err(ApiError::new(ErrorCode::Blocked, first.text.clone()).into());
            }
            let mut made = Vec::new();
            for (_, fate) in import.rows {
                let Fate::Create(u, member_of) = fate else { continue };
                directory::save_user(tx, &u)?;
                for group in member_of {
                    groups::add(tx, &group, [u.sip_address.as_str()])?;
                }
                let link = hours.map(|h| NewLink::new(cx, h));
                if let Some(l) = &link {
                    l.keep(cx, tx, Kind::User, u.sip_address.as_str())?;
                }
                made.push((u, link));
            }
            Ok(made)
        })?;
        cx.app.store.membership_changed();
        let object = |(u, link): &(User, Option<NewLink>)| -> Value {
            let mut o = json!({ "Identity": u.sip_address, "DisplayName": u.display_name, "LogonName": u.logon_name });
            if let Some(l) = link {
                l.show(&cx.app, &mut o);
            }
            o
        };
        let mut out = Outcome::changed(Topic::Directory, "users");
        out.output = made.iter().map(object).collect();
        out.warnings.extend(hours.and_then(|_| cx.app.settings.reach_warning()));
        Ok(out)
    }
}
