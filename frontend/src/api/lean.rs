//! Reading JSON into types in little code. `serde_json` compiles two readers of every struct, one that
//! matches the names of an object's fields and one that takes them in order; the page carries some sixty
//! structs, and that alone would be a fifth of its size. This takes the fields out of a parsed [`Value`] by
//! the names that the struct states, and hands them over in order, so that only the second, much smaller
//! reader is compiled.

use std::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde_json::{Map, Value};

/// What does not fit.
#[derive(Debug)]
pub struct Misfit(String);

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Reads a text of JSON.
///
/// # Errors
/// What is no JSON, or does not fit the type.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Misfit> {
    T::deserialize(Lean(parse(text)?))
}

/// Reads a parsed value.
///
/// # Errors
/// What does not fit the type.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Misfit> {
    T::deserialize(Lean(value))
}

fn parse(text: &str) -> Result<Value, Misfit> {
    serde_json::from_str(text).map_err(|e| Misfit(e.to_string()))
}

/// A parsed value as a source.
struct Lean(Value);

impl Lean {
    fn wrong<T>(self, wanted: &str) -> Result<T, Misfit> {
        let found = match self.0 {
            Value::Null => "nothing",
            Value::Bool(_) => "a yes or no",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        Err(Misfit(format!("expected {wanted}, found {found}")))
    }
}

/// Methods that take a whole number.
macro_rules! whole_numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match &self.0 {
                Value::Number(n) => match (n.as_u64(), n.as_i64()) {
                    (Some(n), _) => visitor.visit_u64(n),
                    (None, Some(n)) => visitor.visit_i64(n),
                    (None, None) => self.wrong("a whole number"),
                },
                _ => self.wrong("a whole number"),
            }
        }
    )*};
}

/// Methods that do what another does.
macro_rules! same_as {
    ($target:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            self.$target(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Lean {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(b) => visitor.visit_bool(b),
            Value::Number(n) => match (n.as_u64(), n.as_i64(), n.as_f64()) {
                (Some(n), _, _) => visitor.visit_u64(n),
                (None, Some(n), _) => visitor.visit_i64(n),
                (None, None, n) => visitor.visit_f64(n.unwrap_or_default()),
            },
            Value::String(s) => visitor.visit_string(s),
            Value::Array(list) => visitor.visit_seq(Items(list.into_iter())),
            Value::Object(map) => visitor.visit_map(Fields::of(map)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Bool(b) => visitor.visit_bool(b),
            _ => self.wrong("a yes or no"),
        }
    }

    whole_numbers! { deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 }
    same_as! { deserialize_any: deserialize_f32 deserialize_f64 deserialize_char deserialize_bytes deserialize_byte_buf deserialize_unit }
    same_as! { deserialize_string: deserialize_str deserialize_identifier }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::String(s) => visitor.visit_string(s),
            _ => self.wrong("a text"),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Array(list) => visitor.visit_seq(Items(list.into_iter())),
            // The portal leaves empty lists out.
            Value::Null => visitor.visit_seq(Items(Vec::new().into_iter())),
            _ => self.wrong("a list"),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Object(map) => visitor.visit_map(Fields::of(map)),
            _ => self.wrong("an object"),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Object(map) => visitor.visit_seq(Members { map, names: fields.iter() }),
            _ => self.wrong("an object"),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::String(word) => visitor.visit_enum(Choice { word, content: None }),
            Value::Object(map) if map.len() == 1 => match map.into_iter().next() {
                Some((word, content)) => visitor.visit_enum(Choice { word, content: Some(content) }),
                None => Err(Misfit("expected a choice".to_owned())),
            },
            _ => self.wrong("a choice"),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }
}

/// The members of an object in the order of the struct's fields. One that is left out reads as nothing,
/// which only an `Option` or a list takes.
struct Members {
    map: Map<String, Value>,
    names: std::slice::Iter<'static, &'static str>,
}

impl<'de> SeqAccess<'de> for Members {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some(name) = self.names.next() else { return Ok(None) };
        let value = self.map.remove(*name).unwrap_or_default();
        seed.deserialize(Lean(value)).map(Some).map_err(|e| Misfit(format!("{name}: {}", e.0)))
    }
}

struct Items(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        self.0.next().map(|v| seed.deserialize(Lean(v))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Fields {
    rest: serde_json::map::IntoIter,
    value: Value,
}

impl Fields {
    fn of(map: Map<String, Value>) -> Self {
        Self { rest: map.into_iter(), value: Value::Null }
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = value;
        seed.deserialize(Lean(Value::String(key))).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        seed.deserialize(Lean(self.value.take()))
    }
}

struct Choice {
    word: String,
    content: Option<Value>,
}

impl<'de> EnumAccess<'de> for Choice {
    type Error = Misfit;
    type Variant = Content;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Content), Misfit> {
        Ok((seed.deserialize(Lean(Value::String(self.word)))?, Content(self.content)))
    }
}

struct Content(Option<Value>);

impl Content {
    fn needed(self) -> Result<Lean, Misfit> {
        self.0.map(Lean).ok_or_else(|| Misfit("this choice needs a value".to_owned()))
    }
}

impl<'de> VariantAccess<'de> for Content {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        seed.deserialize(self.needed()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.needed()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.needed()?.deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use shared::api::{JobStep, TopologyView, WizardDraft};
    use shared::deployment::{ServerReport, ServerRole, ServerState};
    use shared::names::Fqdn;
    use shared::plan::{Confirm, Plan};
    use shared::topology::draft::{FileChoiceKind, PoolDraft};
    use shared::topology::{Placement, Topology};

    use super::*;

    fn round_trip<T: Serialize + DeserializeOwned + PartialEq + fmt::Debug>(value: &T) {
        let text = serde_json::to_string(value).unwrap();
        assert_eq!(&from_str::<T>(&text).unwrap(), value, "{text}");
    }

    #[test]
    fn reads_what_the_portal_writes() {
        round_trip(&ServerReport {
            fqdn: Fqdn::try_from("gc-001.litwareinc.com").unwrap(),
            role: ServerRole::Chat,
            state: ServerState::Failed("in use".to_owned()),
            listens: vec!["127.20.0.11:5041".to_owned()],
            sessions: 3,
            generation: u64::MAX,
        });
        round_trip(&Plan {
            confirm: Confirm::TypeName("x".to_owned()),
            acknowledge: Some(("A".to_owned(), "b".to_owned())),
            ..Plan::default()
        });
        round_trip(&JobStep {
            title: "t".to_owned(),
            state: "failed".to_owned(),
            log: Vec::new(),
            millis: None,
            expected: None,
            remedy: Some((
                "New-LgFileShare".to_owned(),
                serde_json::json!({ "Identity": "\\\\a\\b", "N": [1, -2, 0.5, null] }),
            )),
        });
        let mut draft =
            PoolDraft { single_placement: Placement::Address("10.0.0.1".to_owned()), ..PoolDraft::default() };
        draft.file.kind = FileChoiceKind::LocalPath;
        round_trip(&WizardDraft {
            id: "d".to_owned(),
            draft,
            revision: 1,
            author: "a".to_owned(),
            updated: shared::Timestamp::from_millis(1_763_700_000_123),
            problems: Vec::new(),
        });
        round_trip(&TopologyView {
            published: Topology::default(),
            version: Some(3),
            draft: shared::sample::litware(),
            revision: 2,
            changes: Vec::new(),
            sentences: Vec::new(),
            effects: vec![shared::topology::effect::Effect::default()],
            problems: Vec::new(),
            publishers: Vec::new(),
            name: "main".to_owned(),
            base: None,
            drafts: Vec::new(),
            merge: Some(shared::api::MergeView { version: 1, rows: Vec::new() }),
            wizards: Vec::new(),
        });
    }

    #[test]
    fn says_what_does_not_fit() {
        assert!(from_str::<Plan>("[]").unwrap_err().to_string().contains("an object"));
        assert!(
            from_str::<Plan>("{").is_err()
                && from_str::<Plan>("{}").unwrap_err().to_string().starts_with("cmdlet:")
        );
        assert!(from_str::<ServerState>("{\"state\":\"nowhere\"}").is_err());
    }
}
