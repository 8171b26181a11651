//! The wire types and the schema tables, printed by `build.rs` from `schemas/*.xsd`.

// Both flows and the older manifest are generated; a type waits here until its flow is built.
#![expect(dead_code, reason = "the schemas describe more than the client sends")]
#![expect(clippy::clone_on_copy, clippy::type_complexity, reason = "the printer does not look at the types it clones")]

use yaserde::YaSerialize;

use super::check::{Attribute, Complex, Content, Particle, Root, Simple, Value};
use super::understood::{Read, Understood};
use super::{Document, XmlError};

include!(concat!(env!("OUT_DIR"), "/generated.rs"));
