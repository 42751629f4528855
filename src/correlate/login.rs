//! Login: log-ins that failed, and those that `client=` shows.

use super::{Correlator, Line, some, text};
use crate::model::event::Client;
use crate::model::row::{Auth, Text};

impl Correlator {
    pub(super) fn auth_failure(
        &mut self,
        line: &Line<'_>,
        client: &Client<'_>,
        sasl_method: &str,
        sasl_username: Option<&str>,
        reason: &str,
    ) {
        let row = self.auth(line, client, some(sasl_method), sasl_username);
        self.out.auths.push(Auth {
            ok: false,
            reason: some(reason),
            count: i32::try_from(line.entry.copies()).unwrap_or(i32::MAX),
            ..row
        });
    }

    /// One row a session and user: success shows in `client=` only.
    pub(super) fn auth_success(
        &mut self,
        line: &Line<'_>,
        client: &Client<'_>,
        sasl_method: Option<&str>,
        sasl_username: Option<&str>,
    ) {
        let Some(user) = sasl_username else {
            return;
        };
        let session = self.sessions.get_or_open(line, client);
        if session.is_some_and(|session| session.has_user(user)) {
            return;
        }
        let row = self.auth(line, client, sasl_method.map(text), Some(user));
        self.out.auths.push(Auth { ok: true, ..row });
    }

    fn auth(
        &mut self,
        line: &Line<'_>,
        client: &Client<'_>,
        sasl_method: Option<Text>,
        sasl_username: Option<&str>,
    ) -> Auth {
        Auth {
            id: self.ids.auth.next(),
            time: line.time,
            host: self.host_name(line.host),
            instance: text(line.instance),
            service: text(line.service),
            client_name: some(client.name),
            client_address: some(client.address),
            sasl_method,
            sasl_username: sasl_username.map(text),
            count: 1,
            ..Auth::default()
        }
    }
}
