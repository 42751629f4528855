//! What is seen in a scope.

#[cfg(feature = "store")]
mod doors;
