//! Color: which outcome has which colour. The only escape sequences that maillog writes.

use tabled::settings::Color;

/// What a status means to the person who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Waiting,
    Bad,
    Plain,
}

/// Returns what the status word means.
pub(super) fn tone(status: &str) -> Tone {
    match status {
        "sent" => Tone::Good,
        "deferred" | "SOFTBOUNCE" | "held" | "queued" | "receiving" | "not_accepted" => {
            Tone::Waiting
        }
        "bounced" | "expired" | "rejected" | "deleted" | "discarded" | "corrupt" | "lost" => {
            Tone::Bad
        }
        word if word.ends_with("reject") => Tone::Bad,
        _ => Tone::Plain,
    }
}

impl Tone {
    /// Returns the colour for `tabled`.
    pub(super) fn color(self) -> Option<Color> {
        match self {
            Self::Good => Some(Color::FG_GREEN),
            Self::Waiting => Some(Color::FG_YELLOW),
            Self::Bad => Some(Color::FG_RED),
            Self::Plain => None,
        }
    }

    /// Returns the text in the colour, if colour is wanted.
    pub(super) fn paint(self, text: &str, wanted: bool) -> String {
        let code = match self {
            Self::Good => "32",
            Self::Waiting => "33",
            Self::Bad => "31",
            Self::Plain => return text.to_owned(),
        };
        if wanted {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
