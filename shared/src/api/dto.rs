//! How a resource is written down: a type with documented, public fields.

macro_rules! dto {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $fdoc:literal])+ $field:ident : $ty:ty,)* })*) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name { $($(#[doc = $fdoc])+ pub $field: $ty,)* }
    )*};
}
pub(super) use dto;
