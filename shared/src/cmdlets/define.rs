//! How a family of cmdlets is written down: each becomes a type with its arguments and its definition.

/// Whether a field is left out of the arguments.
pub(super) trait Unset {
    fn unset(&self) -> bool;
}
impl<T> Unset for Option<T> {
    fn unset(&self) -> bool {
        self.is_none()
    }
}
impl Unset for String {
    fn unset(&self) -> bool {
        self.is_empty()
    }
}
impl<T> Unset for Vec<T> {
    fn unset(&self) -> bool {
        self.is_empty()
    }
}
impl Unset for u32 {
    fn unset(&self) -> bool {
        *self == 0
    }
}
impl Unset for bool {
    fn unset(&self) -> bool {
        !*self
    }
}

macro_rules! cmdlets {
    ($(
        $(#[doc = $doc:literal])+
        $ty:ident $name:literal $nature:ident {
            $( #[doc = $help:literal] $field:ident : $fty:ty = $pname:literal $kind:expr $(, $flag:ident)* ; )*
        }
    )*) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
            #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
            #[serde(default, deny_unknown_fields)]
            pub struct $ty {
                $(
                    #[doc = $help]
                    #[serde(rename = $pname, skip_serializing_if = "crate::cmdlets::define::Unset::unset")]
                    pub $field: $fty,
                )*
            }

            impl $crate::cmdlet::Cmdlet for $ty {
                const SPEC: $crate::cmdlet::Spec = $crate::cmdlet::Spec {
                    name: $name,
                    nature: $crate::cmdlet::Nature::$nature,
                    synopsis: concat!($($doc),+),
                    params: &[ $( $crate::cmdlet::Param::new($pname, $kind, $help)$(.$flag())* ),* ],
                };
            }
        )*

        /// How many are defined in this family; all of them must be in the list.
        pub(super) const DEFINED: usize = [$($name),*].len();
    };
}
pub(super) use cmdlets;
