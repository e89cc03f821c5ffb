//! All end-to-end tests, in one program: linked once, and the tests share the two cores fairly.

mod harness;
