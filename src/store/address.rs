//! Address: how a mail address is found in texts, and what stands there once it is erased (`erase`).

use crate::model::key;

/// Stands where an erased address stood.
pub const PSEUDONYM: &str = "erased@invalid";

/// What the address is found and replaced by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// As typed.
    typed: String,
    /// Lower-case texts, one of which every row that names the address contains.
    needles: [String; 4],
    /// Patterns of RE2 with what replaces each: text before, text after.
    patterns: [(String, &'static str); 3],
}

impl Address {
    /// Reads an address; none when it is not of the form local@domain.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text
            .strip_prefix('<')
            .and_then(|t| t.strip_suffix('>'))
            .unwrap_or(text);
        let (local, domain) = text.rsplit_once('@')?;
        let local = local
            .strip_prefix('"')
            .and_then(|t| t.strip_suffix('"'))
            .unwrap_or(local);
        if local.is_empty() || domain.is_empty() || text.chars().any(char::is_control) {
            return None;
        }
        let (l, d) = (local.to_lowercase(), domain.to_lowercase());
        let needles = [
            format!("{l}@{d}"),
            format!("\"{l}\"@{d}"),
            format!("{l}={d}"),
            format!("={d}={l}@"),
        ];
        let (l, d) = (regex::escape(&l), regex::escape(&d));
        // Not part of a longer address: what may go on in a local part before it, in a domain after it.
        let after = r"($|[^\pL\pN._-]|[.](?:$|[^\pL\pN]))";
        let patterns = [
            (
                format!(r#"(?i)(^|[^\pL\pN._%+~-])(?:{l}|"{l}")@{d}{after}"#),
                r"\1erased@invalid\2",
            ),
            (
                format!(r"(?i)(^|[^\pL\pN._]){l}={d}{after}"),
                r"\1erased=invalid\2",
            ),
            (format!(r"(?i)(=){d}={l}(@)"), r"\1invalid=erased\2"),
        ];
        Some(Self {
            typed: format!("{local}@{domain}"),
            needles,
            patterns,
        })
    }

    /// Returns the address as it was typed.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Returns the address as JSON text has it: quotation marks and backslashes are escaped there.
    pub(super) fn in_json(&self) -> Option<Self> {
        let json = serde_json::to_string(&self.typed).ok()?;
        let inner = json.strip_prefix('"')?.strip_suffix('"')?;
        Self::parse(inner)
    }

    /// Returns a condition that holds where one of the columns names the address.
    pub(super) fn named_in(&self, columns: &[&str]) -> String {
        let all = format!("lower(concat_ws(chr(10), {}))", columns.join(", "));
        let near: Vec<String> = self
            .needles
            .iter()
            .map(|needle| format!("contains({all}, {})", literal(needle)))
            .collect();
        let text = format!("concat_ws(chr(10), {})", columns.join(", "));
        // `^` and `$` of a column are line feeds here: a boundary like any other.
        let exact: Vec<String> = self
            .patterns
            .iter()
            .map(|(pattern, _)| format!("regexp_matches({text}, {})", literal(pattern)))
            .collect();
        format!("({}) AND ({})", near.join(" OR "), exact.join(" OR "))
    }

    /// Returns a condition that holds where one of the columns is the address.
    pub(super) fn is_one_of(&self, columns: &[&str]) -> String {
        let [plain, quoted, ..] = &self.needles;
        let values = format!("({}, {})", literal(plain), literal(quoted));
        let list: Vec<String> = columns
            .iter()
            .map(|column| format!("coalesce(lower({column}) IN {values}, false)"))
            .collect();
        format!("({})", list.join(" OR "))
    }

    /// Returns assignments that replace the address in the columns, and give those that have one their new key.
    pub(super) fn replaced(&self, columns: &[&str]) -> String {
        let list: Vec<String> = columns
            .iter()
            .map(|column| {
                let mut text = (*column).to_owned();
                // Twice: two addresses side by side share the character between them.
                for (pattern, with) in self.patterns.iter().chain(&self.patterns) {
                    text = format!(
                        "regexp_replace({text}, {}, '{with}', 'g')",
                        literal(pattern)
                    );
                }
                if key::stands_beside(column) {
                    format!("{column} = {text}, {column}_key = address_key({text})")
                } else {
                    format!("{column} = {text}")
                }
            })
            .collect();
        list.join(", ")
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
