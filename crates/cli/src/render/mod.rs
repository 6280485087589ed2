//! From answers to text for people.

pub(crate) mod boundary;
pub(crate) mod style;
pub(crate) mod wrap;
