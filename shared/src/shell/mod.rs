//! The Management Shell: grammar, evaluation and output.

mod line;

pub use line::line_for;
