//! The maillog program.
fn main() {}
