//! Noted: addresses of which something is left until the next start of the service, and what became of it.
//!
//! Who waits for the end of an erasure has a ticket: the address is not to stay.

use super::Store;
use super::address::Address;
use super::error::Error;
use duckdb::params;
use serde::Serialize;
use std::collections::BTreeMap;

/// Row in `meta` that lists, as JSON, the addresses of which something may be left.
const NOTE: &str = "erase";
/// Row in `meta` with the tickets of those who wait for the end of an erasure: an object of ticket and address.
const TICKETS: &str = "erase_tickets";
/// Row in `meta` with what the next start erased for a ticket: an object of ticket and rows.
const RESULTS: &str = "erased";
/// What was erased for a ticket: table, rows deleted, rows changed.
pub type Rows = Vec<(String, i64, i64)>;

impl Store {
    /// Notes that something of the address may be left, for the next start. Who waits for the end names a ticket, by
    /// which the result is found afterwards ([`Store::take_erased`]): the address is not.
    ///
    /// # Errors
    /// When the database fails.
    pub fn note_erasure(&mut self, address: &Address, ticket: &str) -> Result<(), Error> {
        let mut noted = self.noted_erasures()?;
        noted.push(address.clone());
        let mut tickets = self.tickets()?;
        if !ticket.is_empty() {
            tickets.insert(ticket.to_owned(), address.typed().to_owned());
        }
        self.write_note(&noted, &tickets)
    }

    fn tickets(&self) -> Result<BTreeMap<String, String>, Error> {
        let text = self.meta(TICKETS)?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Returns a value of `meta`, empty when there is none.
    fn meta(&self, key: &str) -> Result<String, Error> {
        let sql = "SELECT coalesce(max(value), '') FROM meta WHERE key = ?";
        let text = self.conn.query_row(sql, params![key], |row| row.get(0));
        text.map_err(|error| self.sort(sql, &error))
    }

    /// Keeps what the erasure of an address deleted and changed for those who have a ticket.
    ///
    /// # Errors
    /// When the database fails.
    pub fn keep_erased(&mut self, address: &Address, rows: &Rows) -> Result<(), Error> {
        let mut results: BTreeMap<String, Rows> =
            serde_json::from_str(&self.meta(RESULTS)?).unwrap_or_default();
        for (ticket, typed) in self.tickets()? {
            if typed == address.typed() {
                results.insert(ticket, rows.clone());
            }
        }
        self.write_meta(RESULTS, &results)
    }

    /// Returns what was erased for a ticket, once; none while it is not done.
    ///
    /// # Errors
    /// When the database fails.
    pub fn take_erased(&mut self, ticket: &str) -> Result<Option<Rows>, Error> {
        let mut results: BTreeMap<String, Rows> =
            serde_json::from_str(&self.meta(RESULTS)?).unwrap_or_default();
        let rows = results.remove(ticket);
        if rows.is_some() {
            // What nobody fetched goes with it.
            self.write_meta(RESULTS, &BTreeMap::<String, Rows>::new())?;
        }
        Ok(rows)
    }

    fn write_meta<T: Serialize>(
        &self,
        key: &str,
        values: &BTreeMap<String, T>,
    ) -> Result<(), Error> {
        let text = serde_json::json!(values).to_string();
        self.transact("note", |conn| {
            conn.execute("DELETE FROM meta WHERE key = ?", params![key])?;
            if !values.is_empty() {
                conn.execute("INSERT INTO meta VALUES (?, ?)", params![key, text])?;
            }
            Ok(())
        })
    }

    /// Returns the addresses of which something may be left.
    ///
    /// # Errors
    /// When the database fails.
    pub fn noted_erasures(&self) -> Result<Vec<Address>, Error> {
        let sql = format!("SELECT coalesce(max(value), '[]') FROM meta WHERE key = '{NOTE}'");
        let text: Result<String, _> = self.conn.query_row(&sql, [], |row| row.get(0));
        let text = text.map_err(|error| self.sort(&sql, &error))?;
        let typed: Vec<String> = serde_json::from_str(&text).unwrap_or_default();
        Ok(typed.iter().filter_map(|one| Address::parse(one)).collect())
    }

    /// Nothing is left of the noted addresses.
    ///
    /// # Errors
    /// When the database fails.
    pub fn forget_erasures(&mut self) -> Result<(), Error> {
        self.state = None;
        self.write_note(&[], &BTreeMap::new())
    }

    fn write_note(
        &mut self,
        addresses: &[Address],
        tickets: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        self.write_meta(TICKETS, tickets)?;
        let typed: Vec<&str> = addresses.iter().map(Address::typed).collect();
        let text = serde_json::json!(typed).to_string();
        self.transact("note", |conn| {
            conn.execute("DELETE FROM meta WHERE key = ?", params![NOTE])?;
            if !typed.is_empty() {
                conn.execute("INSERT INTO meta VALUES (?, ?)", params![NOTE, text])?;
            }
            Ok(())
        })
    }
}
