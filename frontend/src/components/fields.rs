//! Text, names, password, choice and yes-no fields. Each shows its errors after it was left once, then as typed.

mod choice;
mod names;
mod text;

pub use choice::{CheckField, RadioGroup, SelectField};
pub use names::NamesField;
pub use text::{PasswordField, TextField};
