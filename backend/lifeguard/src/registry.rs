//! Name → handler, made from the one list: a cmdlet without a handler does not compile.

use serde_json::{Map, Value};
use shared::cmdlet::Cmdlet;
use shared::cmdlets as c;
use shared::error::ApiError;

use crate::door::{AnyHandler, boxed};

macro_rules! registry {
    ($($ty:ident)*) => {
        /// The handler of `name` with its arguments.
        ///
        /// # Errors
        /// When the arguments do not fit, or the name is unknown.
        pub fn handler(name: &str, args: &Map<String, Value>) -> Result<Box<dyn AnyHandler>, ApiError> {
            $( if name == c::$ty::SPEC.name { return boxed::<c::$ty>(args); } )*
            Err(ApiError::not_found(format!("There is no cmdlet {name}.")))
        }

        /// JSON schema of every cmdlet's arguments, for the OpenAPI document.
        pub fn schemas(g: &mut schemars::SchemaGenerator) -> Vec<(&'static shared::cmdlet::Spec, schemars::Schema)> {
            vec![ $( (&c::$ty::SPEC, g.subschema_for::<c::$ty>()) ),* ]
        }
    };
}

shared::with_every_cmdlet!(registry);
