//! Count: how many hits each value of a field has, around the statement that finds them.

use super::error::Error;
use super::field::{Field, FieldKind};
use super::fields;
use super::writer::Writer;
use super::{Param, Plan};

/// Returns the plan that counts the hits of `plan` by a field, `top` values at most.
///
/// A refusal that stands for several counts as many. Times are counted by day.
///
/// # Errors
/// When there is no such field.
pub fn count_by(plan: Plan, name: &str, top: Option<u64>) -> Result<Plan, Error> {
    let name = name.trim_end_matches(':');
    let field = fields::lookup(name, &(0..name.len())).map_err(|error| error.within(name))?;
    let (value, joins) = value(field);
    let mut writer = Writer::default();
    let hits = plan.search.all_rows(&mut writer);
    let limit = top.map(|top| {
        let top = writer.bind(Param::Int(i64::try_from(top).unwrap_or(i64::MAX)));
        format!("\nLIMIT {top}")
    });
    let sql = format!(
        "SELECT {value} AS \"{}\", sum(h.count)::BIGINT AS count, max(h.time) AS last_time\nFROM (\n{hits}\n) h{joins}\n\
         GROUP BY ALL\nORDER BY count DESC, 1{}",
        field.name,
        limit.unwrap_or_default(),
    );
    let statement = writer.done(sql);
    Ok(Plan {
        sql: statement.sql,
        params: statement.params,
        counted: Some((name.to_owned(), top)),
        ..plan
    })
}

/// Returns the names of the columns of what [`count_by`] counts.
///
/// # Errors
/// When there is no such field.
pub fn counted(name: &str) -> Result<Vec<String>, Error> {
    let name = name.trim_end_matches(':');
    let field = fields::lookup(name, &(0..name.len())).map_err(|error| error.within(name))?;
    Ok([field.name, "count", "last_time"]
        .map(str::to_owned)
        .to_vec())
}

/// Returns what to count by, and the tables that a hit must be joined with for it.
fn value(field: &Field) -> (String, &'static str) {
    let column = match (field.kind, field.name) {
        (FieldKind::Since | FieldKind::Until | FieldKind::Date, _) => {
            "CAST(local_time(h.time) AS DATE)"
        }
        (_, "to") => "lower(h.recipient)",
        (_, "from") => "lower(h.sender)",
        (_, "client") => {
            "CASE WHEN h.client_name = 'unknown' THEN h.client_address ELSE coalesce(h.client_name, h.client_address) END"
        }
        (_, "user") => "h.sasl_username",
        (_, "helo") => "lower(h.helo_name)",
        (_, "relay") => "lower(split_part(h.relay, '[', 1))",
        (_, "status" | "ever") => "h.status",
        (_, "cause") => "h.cause",
        (_, "dnsbl") => "lower(h.dnsbl)",
        (_, "dsn") => "h.dsn",
        (_, "code") => "h.reply_code",
        (_, "text") => "h.reason",
        (_, "host") => "h.host",
        (_, "instance") => "h.instance",
        (_, "rule") => "h.rule",
        (_, "service") => "h.service",
        _ => return (any_of(field), JOINS),
    };
    (column.to_owned(), "")
}

/// The rows of a hit; only recipients have a recipient and no refusal.
const JOINS: &str = "\nLEFT JOIN delivery_to t ON h.kind = 'mail' AND h.recipient IS NOT NULL AND t.id = h.id\n\
                     LEFT JOIN delivery_from f ON h.kind = 'mail' AND f.id = h.from_id\n\
                     LEFT JOIN noqueue n ON h.kind = 'refused' AND n.id = h.id";

fn any_of(field: &Field) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for part in [field.recipient, field.message, field.refusal] {
        for column in part.plain {
            if !column.starts_with("r.") && !columns.contains(column) {
                columns.push(column);
            }
        }
    }
    format!("coalesce({}, NULL)", columns.join(", "))
}
