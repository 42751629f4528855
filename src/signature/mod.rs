//! Signature: digests of mail and who counts them: pyzor's protocol, its server and its client, byte for byte.
//!
//! ```text
//! mail -> mime -> html -> digest           client -> request -> [UDP] -> answer -> counters -> what changed, each second
//! ```
//! Everything here was compared with pyzor 1.1.2 under Python 3.11: digests over a corpus of whole and broken mail,
//! replies over thousands of packets. No database and no terminal is here.
//!
//! | file | duty |
//! |---|---|
//! | `mime`, `html`, `blank`, `digest` | mail to its digest |
//! | `message` | a packet, and its signature |
//! | `account`, `access` | who may sign, and who may do what |
//! | `counter` | what is counted, in memory |
//! | `answer` | a packet to its reply |
//! | `rate`, `usage` | how much one address may ask, and who asked what |
//! | `listen`, `forward` | the loop of a server, and what it sends on |
//! | `stored`, `table` | what changed as rows of the database; digests as CSV |
//! | `client`, `outcome`, `home`, `directory`, `mbox` | asking servers, and pyzor's words and files |

pub mod access;
pub mod account;
pub mod answer;
mod blank;
pub mod client;
pub mod counter;
mod digest;
pub mod directory;
pub mod forward;
pub mod home;
mod html;
pub mod listen;
pub mod mbox;
pub mod message;
mod mime;
pub mod outcome;
pub mod rate;
pub mod stored;
pub mod table;
pub mod usage;

pub use digest::{Digest, digest};

/// Returns bytes in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
