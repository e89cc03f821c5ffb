//! What cmdlets of settings at scopes share: global, site, pool. Source: model §§10, 11, 22 (V17, V25).

use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use shared::configuration::Scope;
use shared::error::ApiError;
use shared::identity::wildcard_match;
use shared::plan::{Confirm, Plan, PlannedChange};
use store::management::configuration::{self, Kind};

use super::{find_pool, published};
use crate::door::{Cx, Fault, plan};

/// Settings that stand at scopes. Their JSON has the names that cmdlets print.
pub trait Settings: Serialize + DeserializeOwned + Default + Clone + PartialEq + Send + Sync {
    /// Where they are stored.
    const KIND: Kind;
    /// What they are, in sentences: "settings of the chat service".
    const WHAT: &'static str;

    /// Whether the values are in their ranges.
    ///
    /// # Errors
    /// The parameter and what is wrong with it.
    fn check(&self) -> Result<(), (&'static str, String)>;

    /// What a change does to pools, in sentences.
    fn effects(
        _before: &[(String, Self)],
        _after: &[(String, Self)],
        _t: &shared::topology::Topology,
    ) -> Vec<String> {
        Vec::new()
    }
}

fn fields<T: Settings>(v: &T) -> Map<String, Value> {
    match serde_json::to_value(v) {
        Ok(Value::Object(m)) => m,
        _ => Map::new(),
    }
}

/// The object that cmdlets print.
pub fn object<T: Settings>(identity: &str, v: &T) -> Value {
    let mut out = Map::new();
    out.insert("Identity".to_owned(), identity.into());
    out.extend(fields(v));
    Value::Object(out)
}

fn scope(identity: &str) -> Result<Scope, ApiError> {
    Scope::parse(identity).map_err(|e| ApiError::invalid("Identity", e))
}

fn checked<T: Settings>(v: T) -> Result<T, ApiError> {
    v.check().map_err(|(field, text)| ApiError::invalid(field, text))?;
    Ok(v)
}

/// The objects that Get- prints.
pub fn list<T: Settings>(
    cx: &Cx,
    identity: Option<&str>,
    filter: Option<&str>,
) -> Result<Vec<Value>, ApiError> {
    if identity.is_some() && filter.is_some() {
        return Err(ApiError::invalid("Filter", "Use either -Identity or -Filter (V25)."));
    }
    let all = cx.read(|c| Ok(configuration::all::<T>(c, T::KIND)?))?;
    if let Some(id) = identity {
        let wanted = scope(id)?.identity();
        let found = all.iter().find(|(i, _)| i.eq_ignore_ascii_case(&wanted));
        let (i, v) = found.ok_or_else(|| missing::<T>(&wanted))?;
        return Ok(vec![object(i, v)]);
    }
    let keep = |i: &str| filter.is_none_or(|f| wildcard_match(f, i));
    Ok(all.iter().filter(|(i, _)| keep(i)).map(|(i, v)| object(i, v)).collect())
}

fn missing<T: Settings>(identity: &str) -> ApiError {
    let text = format!("There are no {} for {identity}.", T::WHAT);
    ApiError { field: Some("Identity".to_owned()), ..ApiError::not_found(text) }
}

/// The identity of new settings: a site or a pool of the published topology, as it is written there.
fn fresh<T: Settings>(c: &Connection, identity: &str) -> Result<String, Fault> {
    let t = published(c)?;
    let scope = match scope(identity)? {
        Scope::Global => {
            let text = format!("The global {} always exist; change them with Set-.", T::WHAT);
            return Err(ApiError::invalid("Identity", text).into());
        }
        Scope::Site(name) => {
            let site = t.sites.iter().find(|s| s.site_id.eq_ignore_ascii_case(&name));
            let text = format!("There is no site {name} in the published topology.");
            Scope::Site(site.ok_or_else(|| ApiError::invalid("Identity", text))?.site_id.clone())
        }
        Scope::Service(pool) => Scope::Service(find_pool(&t, pool.as_str(), "Identity")?.fqdn),
    };
    let id = scope.identity();
    if configuration::all::<T>(c, T::KIND)?.iter().any(|(i, _)| i.eq_ignore_ascii_case(&id)) {
        let text = format!("{id} has {} already; change them with Set-.", T::WHAT);
        return Err(ApiError::invalid("Identity", text).into());
    }
    Ok(id)
}

/// A change of one collection.
pub struct Change<T> {
    /// Which.
    pub identity: String,
    /// As it was; none when it is new.
    pub before: Option<T>,
    /// As it will be; none when it is deleted.
    pub after: Option<T>,
}

/// New settings with `apply` over the defaults.
pub fn create<T: Settings>(
    c: &Connection,
    identity: &str,
    apply: impl FnOnce(T) -> T,
) -> Result<Change<T>, Fault> {
    let identity = fresh::<T>(c, identity)?;
    Ok(Change { identity, before: None, after: Some(checked(apply(T::default()))?) })
}

/// Settings changed by an object's values first, then by `apply`.
pub fn change<T: Settings>(
    c: &Connection,
    identity: Option<&str>,
    instance: Option<&Value>,
    apply: impl FnOnce(T) -> T,
) -> Result<Change<T>, Fault> {
    let id = match (identity, instance) {
        (None, None) => "global".to_owned(),
        (i, o) => super::chat_place::named(i, o)?,
    };
    let wanted = scope(&id)?.identity();
    let found =
        configuration::all::<T>(c, T::KIND)?.into_iter().find(|(i, _)| i.eq_ignore_ascii_case(&wanted));
    let (identity, before) = match (found, instance) {
        (Some((i, v)), _) => (i, Some(v)),
        // What New- -InMemory returned is stored here.
        (None, Some(_)) => (fresh::<T>(c, &id)?, None),
        (None, None) => return Err(missing::<T>(&wanted).into()),
    };
    let mut values = fields(&before.clone().unwrap_or_default());
    if let Some(Value::Object(o)) = instance {
        for (k, v) in &mut values {
            if let Some(given) = o.get(k) {
                v.clone_from(given);
            }
        }
    }
    let base = serde_json::from_value(Value::Object(values))
        .map_err(|e| ApiError::invalid("Instance", format!("The object's values do not fit: {e}.")))?;
    Ok(Change { identity, before, after: Some(checked(apply(base))?) })
}

/// Settings deleted, the global ones reset.
pub fn delete<T: Settings>(c: &Connection, identity: &str) -> Result<Change<T>, Fault> {
    let wanted = scope(identity)?.identity();
    let all = configuration::all::<T>(c, T::KIND)?;
    let found = all.into_iter().find(|(i, _)| i.eq_ignore_ascii_case(&wanted));
    let (identity, v) = found.ok_or_else(|| missing::<T>(&wanted))?;
    let global = scope(&identity)? == Scope::Global;
    Ok(Change { identity, before: Some(v), after: global.then(T::default) })
}

fn word(v: Option<&Value>) -> String {
    match v {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(s)) => s.clone(),
        Some(Value::Bool(b)) => if *b { "True" } else { "False" }.to_owned(),
        Some(v) => v.to_string(),
    }
}

impl<T: Settings> Change<T> {
    /// Its plan.
    pub fn plan(&self, c: &Connection) -> Result<Plan, Fault> {
        let id = &self.identity;
        let mut out = match (&self.before, &self.after) {
            (None, _) => plan([format!("Create {} for {id}.", T::WHAT)]),
            (Some(_), None) => {
                plan([format!("Delete the {} for {id}; wider ones apply from then on.", T::WHAT)])
            }
            (Some(_), Some(v)) if *v == T::default() && id == "Global" => {
                plan([format!("Reset the global {} to their defaults.", T::WHAT)])
            }
            _ => Plan::default(),
        };
        let (before, after) = (self.before.as_ref().map(fields), self.after.as_ref().map(fields));
        let named = out.sentences.is_empty();
        for key in fields(&T::default()).keys() {
            let of = |m: &Option<Map<String, Value>>| word(m.as_ref().and_then(|m| m.get(key)));
            let (b, a) = (of(&before), of(&after));
            if b != a {
                if named {
                    let text = if a.is_empty() { "is emptied".to_owned() } else { format!("becomes {a}") };
                    out.sentences.push(format!("{key} of {id} {text}."));
                }
                out.changes.push(PlannedChange::new(id, key, b, a));
            }
        }
        if out.changes.is_empty() && self.before.is_some() && self.after.is_some() {
            return Ok(plan(["Nothing changes.".to_owned()]));
        }
        let all = configuration::all::<T>(c, T::KIND)?;
        let mut then = all.clone();
        then.retain(|(i, _)| i != id);
        then.extend(self.after.clone().map(|v| (id.clone(), v)));
        out.sentences.extend(T::effects(&all, &then, &published(c)?));
        out.confirm = Confirm::None;
        Ok(out)
    }

    /// Writes it.
    pub fn store(&self, c: &Connection) -> Result<Value, Fault> {
        match &self.after {
            Some(v) => configuration::save(c, T::KIND, &self.identity, v)?,
            None => configuration::remove(c, T::KIND, &self.identity)?,
        }
        Ok(self.after.as_ref().map_or_else(|| json!({}), |v| object(&self.identity, v)))
    }
}
