//! JSON: a line of `journalctl -o json`, of Docker's json-file driver or of `logcli -o jsonl` to a record.
//!
//! Limits: objects of other origin are no log; members that are objects themselves are passed over.

use super::record::Record;
use super::text::{readable, without_nul};
use serde::Deserializer;
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Fills `record` from one object; tells whether it is one of a log.
pub(super) fn read(line: &str, record: &mut Record) -> bool {
    let mut json = serde_json::Deserializer::from_str(line);
    let read = json.deserialize_map(Object(record));
    read.is_ok() && (record.has_message || record.log.is_some())
}

struct Object<'r>(&'r mut Record);

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Name<'de>>()? {
            if Record::wants(name.0.as_bytes()) {
                let record = &mut *self.0;
                let name = &name.0;
                map.next_value_seed(Value { record, name })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// A member's name, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// A value: text, number, bytes as an array of numbers, null for one that was too long, or an array of these.
struct Value<'r, 'n> {
    record: &'r mut Record,
    name: &'n str,
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field of the journal")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.record.set(self.name, &without_nul(text.into()));
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        self.record.set(self.name, &number.to_string());
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        if self.name == "MESSAGE" {
            self.record.lose_message();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut bytes = Vec::new();
        while let Some(element) = seq.next_element::<Element<'de>>()? {
            match element {
                Element::Byte(byte) => bytes.push(byte),
                Element::Text(text) => self.record.set(self.name, &without_nul(text)),
                Element::Bytes(bytes) => self.record.set(self.name, &readable(&bytes)),
                Element::Other(_) => {}
            }
        }
        if !bytes.is_empty() {
            self.record.set(self.name, &readable(&bytes));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Element<'a> {
    Byte(u8),
    #[serde(borrow)]
    Text(Cow<'a, str>),
    Bytes(Vec<u8>),
    Other(IgnoredAny),
}
