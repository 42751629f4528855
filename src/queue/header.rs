//! Header: the headers of a message -> names and values.

use super::mail::Header;

/// Most headers of one message that are kept, and most bytes of a value: what is longer says nothing more.
const MOST: usize = 1000;
const MAX_VALUE: usize = 16 * 1024;

/// Takes header lines one by one; folded lines become one value.
#[derive(Debug, Default)]
pub(super) struct Headers {
    list: Vec<Header>,
}

impl Headers {
    pub(super) fn take(&mut self, line: &str) {
        let line = line.trim_end_matches(['\r', '\n']);
        if line.starts_with([' ', '\t']) {
            if let Some(last) = self.list.last_mut()
                && last.value.len() + line.len() <= MAX_VALUE
            {
                last.value.push(' ');
                last.value.push_str(line.trim());
            }
            return;
        }
        let Some((name, value)) = line.split_once(':') else {
            return;
        };
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
        if is_name && self.list.len() < MOST {
            self.list.push(Header {
                name: name.to_owned(),
                value: value.trim().chars().take(MAX_VALUE).collect(),
            });
        }
    }

    pub(super) fn finish(self) -> Box<[Header]> {
        self.list.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_lines_are_one_value_and_repeated_names_stay() {
        let mut headers = Headers::default();
        for line in [
            "Subject: a",
            "\tb",
            "X-Two: 1",
            "X-Two: 2",
            "no header",
            ": x",
        ] {
            headers.take(line);
        }
        let shown: Vec<String> = headers
            .finish()
            .iter()
            .map(|h| format!("{}={}", h.name, h.value))
            .collect();
        assert_eq!(shown, ["Subject=a b", "X-Two=1", "X-Two=2"]);
    }
}
