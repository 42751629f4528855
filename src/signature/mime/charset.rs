//! Charsets: bytes of a part to text, as Python's codecs decode them, because digests are made of their result.
//!
//! `charsets.txt` has the names and tables. Limits: UTF-7, HZ, ISO-2022-KR, Johab and the codecs of JIS X 0213 are
//! unknown here; a part in one of them is read as ASCII, as a part in a charset that nobody knows.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What becomes of bytes that are no character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Invalid {
    /// They are left out.
    Ignore,
    /// Each run of them becomes U+FFFD.
    Replace,
    /// Nothing is decoded.
    Refuse,
}

/// Why bytes were not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undecoded {
    /// Nobody knows the charset.
    Unknown,
    /// Bytes are no character of it.
    Invalid,
}

/// How a charset is decoded.
#[derive(Debug)]
enum Codec {
    Ascii,
    Utf8 { skips_mark: bool },
    Utf16(Option<Order>),
    Utf32(Option<Order>),
    Iso2022Jp,
    Table(Box<[Option<char>; 256]>),
    Pairs(Pairs),
}

/// The order of the bytes in a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

/// A charset with one or two bytes a character (EUC-JP: three, GB 18030: four, too).
#[derive(Debug)]
struct Pairs {
    base: &'static encoding_rs::Encoding,
    /// Ranges of bytes that are no character here.
    undefined: Vec<(u32, u32)>,
    /// Bytes that are another character here.
    other: HashMap<u32, String>,
    is_gb18030: bool,
}

/// The text so far, and what becomes of invalid bytes.
struct Output {
    text: String,
    invalid: Invalid,
    is_refused: bool,
}

impl Output {
    fn bad(&mut self) {
        match self.invalid {
            Invalid::Ignore => {}
            Invalid::Replace => self.text.push(char::REPLACEMENT_CHARACTER),
            Invalid::Refuse => self.is_refused = true,
        }
    }

    fn put(&mut self, character: Option<char>) {
        match character {
            Some(character) => self.text.push(character),
            None => self.bad(),
        }
    }
}

/// Other names of codecs.
type Aliases = HashMap<&'static str, &'static str>;
/// Codecs by name.
type Codecs = HashMap<&'static str, Codec>;

static CODECS: LazyLock<(Aliases, Codecs)> = LazyLock::new(read);

/// Reads the list of charsets.
fn read() -> (Aliases, Codecs) {
    let mut aliases = HashMap::new();
    let mut codecs = HashMap::from([
        ("ascii", Codec::Ascii),
        ("utf_8", Codec::Utf8 { skips_mark: false }),
        ("utf_8_sig", Codec::Utf8 { skips_mark: true }),
        ("utf_16", Codec::Utf16(None)),
        ("utf_16_le", Codec::Utf16(Some(Order::Little))),
        ("utf_16_be", Codec::Utf16(Some(Order::Big))),
        ("utf_32", Codec::Utf32(None)),
        ("utf_32_le", Codec::Utf32(Some(Order::Little))),
        ("utf_32_be", Codec::Utf32(Some(Order::Big))),
        ("iso2022_jp", Codec::Iso2022Jp),
        ("iso2022_jp_1", Codec::Iso2022Jp),
        ("iso2022_jp_2", Codec::Iso2022Jp),
        ("iso2022_jp_ext", Codec::Iso2022Jp),
    ]);
    for line in include_str!("../charsets.txt").lines() {
        let mut words = line.split(' ');
        match (words.next(), words.next()) {
            (Some("alias"), Some(alias)) => {
                aliases.extend(words.next().map(|codec| (alias, codec)));
            }
            (Some("table"), Some(codec)) => {
                codecs.insert(codec, Codec::Table(table(words)));
            }
            (Some("pairs"), Some(codec)) => {
                codecs.extend(pairs(codec, words).map(|pairs| (codec, Codec::Pairs(pairs))));
            }
            _ => {}
        }
    }
    (aliases, codecs)
}

fn hexadecimal(text: &str) -> u32 {
    u32::from_str_radix(text, 16).unwrap_or(0)
}

fn table<'t>(runs: impl Iterator<Item = &'t str>) -> Box<[Option<char>; 256]> {
    let mut table = Box::new([None; 256]);
    for run in runs {
        let mut parts = run.split(':').map(hexadecimal);
        let (Some(first), Some(start), Some(count)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        for step in 0..count {
            if let Some(cell) = table.get_mut((first + step) as usize) {
                *cell = char::from_u32(start + step);
            }
        }
    }
    table
}

fn pairs<'t>(codec: &str, mut items: impl Iterator<Item = &'t str>) -> Option<Pairs> {
    let base = encoding_rs::Encoding::for_label(items.next()?.as_bytes())?;
    let mut pairs = Pairs {
        base,
        undefined: Vec::new(),
        other: HashMap::new(),
        is_gb18030: codec == "gb18030",
    };
    for item in items {
        if let Some((bytes, text)) = item.split_once('=') {
            let text = text
                .split('+')
                .filter_map(|point| char::from_u32(hexadecimal(point)));
            pairs.other.insert(hexadecimal(bytes), text.collect());
        } else if let Some((first, last)) = item.split_once('-') {
            pairs
                .undefined
                .push((hexadecimal(first), hexadecimal(last)));
        }
    }
    Some(pairs)
}

impl Pairs {
    /// Returns the characters that these bytes are.
    fn character(&self, bytes: &[u8]) -> Option<String> {
        let number = bytes
            .iter()
            .fold(0, |number: u32, byte| number << 8 | u32::from(*byte));
        if let Some(text) = self.other.get(&number) {
            return Some(text.clone());
        }
        let place = self.undefined.partition_point(|(_, last)| *last < number);
        if self
            .undefined
            .get(place)
            .is_some_and(|(first, _)| *first <= number)
        {
            return None;
        }
        // Two bytes that the base reads as one character each are no pair.
        let is_one = |part: &[u8]| !self.base.decode_without_bom_handling(part).1;
        if bytes.len() > 1 && bytes.get(..1).is_some_and(is_one) {
            return None;
        }
        let (text, is_bad) = self.base.decode_without_bom_handling(bytes);
        (!is_bad).then(|| text.into_owned())
    }

    fn decode(&self, mut bytes: &[u8], output: &mut Output) {
        // Texts repeat their characters: each is looked up once.
        let mut known: HashMap<[u8; 2], Option<String>> = HashMap::new();
        while let Some((&first, rest)) = bytes.split_first() {
            if first.is_ascii() {
                output.text.push(char::from(first));
                bytes = rest;
                continue;
            }
            if let Some(text) = known
                .entry([first, 0])
                .or_insert_with(|| self.character(&[first]))
            {
                output.text.push_str(text);
                bytes = rest;
                continue;
            }
            let Some((&second, after)) = rest.split_first() else {
                output.bad();
                return;
            };
            let pair = known.entry([first, second]);
            if let Some(text) = pair.or_insert_with(|| self.character(&[first, second])) {
                output.text.push_str(text);
                bytes = after;
                continue;
            }
            bytes = match self.long(first, second, bytes, output) {
                Some(skip) => bytes.get(skip..).unwrap_or_default(),
                None => return,
            };
        }
    }

    /// Decodes a character of three or four bytes, or says that the first is none; returns how many bytes are done.
    fn long(&self, first: u8, second: u8, bytes: &[u8], output: &mut Output) -> Option<usize> {
        let is_three = first == 0x8f && self.base == encoding_rs::EUC_JP;
        let is_four = self.is_gb18030 && first != 0x80 && first != 0xff && second.is_ascii_digit();
        let (length, skip) = match (is_three, is_four) {
            (true, _) => (3, 2),
            (_, true) => (4, 1),
            _ => {
                output.bad();
                return Some(1);
            }
        };
        let Some(character) = bytes.get(..length) else {
            output.bad();
            return None;
        };
        let base = if is_four {
            encoding_rs::GB18030
        } else {
            self.base
        };
        let (text, is_bad) = base.decode_without_bom_handling(character);
        if is_bad {
            output.bad();
            return Some(skip);
        }
        output.text.push_str(&text);
        Some(length)
    }
}

/// Returns a name as Python writes it: lower case, and one `_` for what is neither letter, digit nor full stop.
fn normal(name: &str) -> String {
    let mut normal = String::new();
    let mut is_apart = false;
    for character in name.chars() {
        if character.is_alphanumeric() || character == '.' {
            if is_apart && !normal.is_empty() {
                normal.push('_');
            }
            is_apart = false;
            if character.is_ascii() {
                normal.push(character.to_ascii_lowercase());
            }
        } else {
            is_apart = true;
        }
    }
    normal
}

/// Decodes bytes.
///
/// # Errors
/// When nobody knows the charset, or invalid bytes are refused.
pub(super) fn decode(bytes: &[u8], name: &str, invalid: Invalid) -> Result<String, Undecoded> {
    let (aliases, codecs) = &*CODECS;
    let name = normal(name);
    let alias = aliases
        .get(&*name)
        .or_else(|| aliases.get(&*name.replace('.', "_")));
    let codec = codecs
        .get(alias.copied().unwrap_or(&name))
        .ok_or(Undecoded::Unknown)?;
    let mut output = Output {
        text: String::with_capacity(bytes.len()),
        invalid,
        is_refused: false,
    };
    match codec {
        Codec::Ascii => {
            for byte in bytes {
                output.put(byte.is_ascii().then_some(char::from(*byte)));
            }
        }
        Codec::Utf8 { skips_mark } => utf8(bytes, *skips_mark, &mut output),
        Codec::Utf16(order) => utf16(bytes, *order, &mut output),
        Codec::Utf32(order) => utf32(bytes, *order, &mut output),
        Codec::Iso2022Jp => match codecs.get("euc_jp") {
            Some(Codec::Pairs(kanji)) => iso2022_jp(bytes, kanji, &mut output),
            _ => return Err(Undecoded::Unknown),
        },
        Codec::Table(table) => {
            for byte in bytes {
                output.put(table.get(usize::from(*byte)).copied().flatten());
            }
        }
        Codec::Pairs(pairs) => pairs.decode(bytes, &mut output),
    }
    if output.is_refused {
        return Err(Undecoded::Invalid);
    }
    Ok(output.text)
}

fn utf8(bytes: &[u8], skips_mark: bool, output: &mut Output) {
    let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) if skips_mark => rest,
        _ => bytes,
    };
    for chunk in bytes.utf8_chunks() {
        output.text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            output.bad();
        }
    }
}

/// Returns the order that a mark at the beginning gives, and what follows it; without a mark the least byte is first.
fn order<'b>(
    bytes: &'b [u8],
    given: Option<Order>,
    little: &[u8],
    big: &[u8],
) -> (Order, &'b [u8]) {
    if let Some(order) = given {
        return (order, bytes);
    }
    if let Some(rest) = bytes.strip_prefix(little) {
        return (Order::Little, rest);
    }
    match bytes.strip_prefix(big) {
        Some(rest) => (Order::Big, rest),
        None => (Order::Little, bytes),
    }
}

fn utf16(bytes: &[u8], given: Option<Order>, output: &mut Output) {
    let (order, bytes) = order(bytes, given, b"\xff\xfe", b"\xfe\xff");
    let (units, rest) = bytes.as_chunks::<2>();
    let units = units.iter().map(|unit| match order {
        Order::Little => u16::from_le_bytes(*unit),
        Order::Big => u16::from_be_bytes(*unit),
    });
    for character in char::decode_utf16(units) {
        output.put(character.ok());
    }
    if !rest.is_empty() {
        output.bad();
    }
}

fn utf32(bytes: &[u8], given: Option<Order>, output: &mut Output) {
    let (order, bytes) = order(bytes, given, b"\xff\xfe\0\0", b"\0\0\xfe\xff");
    let (units, rest) = bytes.as_chunks::<4>();
    for unit in units {
        output.put(char::from_u32(match order {
            Order::Little => u32::from_le_bytes(*unit),
            Order::Big => u32::from_be_bytes(*unit),
        }));
    }
    if !rest.is_empty() {
        output.bad();
    }
}

/// What bytes below 0x80 stand for in ISO-2022-JP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Ascii,
    Roman,
    Kanji,
}

/// Returns the length of an escape sequence and the set that it chooses, none if it chooses no known one.
fn escape(bytes: &[u8]) -> Option<(usize, Option<Set>)> {
    /// Longer ones are no escape sequences.
    const LONGEST: usize = 16;
    let is_end = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'@';
    let Some(end) = bytes.iter().take(LONGEST).position(is_end) else {
        return (bytes.len() >= LONGEST).then_some((1, None));
    };
    let set = match bytes.get(1..=end) {
        Some(b"(B") => Some(Set::Ascii),
        Some(b"(J") => Some(Set::Roman),
        Some(b"$@" | b"$B") => Some(Set::Kanji),
        _ => None,
    };
    Some((end + 1, set))
}

/// Takes an escape sequence of another standard as ISO 8859-1, up to its end, an upper case letter or `@`; returns what follows.
fn foreign<'b>(bytes: &'b [u8], text: &mut String) -> &'b [u8] {
    let is_end = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'@';
    let length = bytes
        .iter()
        .position(is_end)
        .map_or(bytes.len(), |end| end + 1);
    let (sequence, rest) = bytes.split_at(length);
    text.extend(sequence.iter().copied().map(char::from));
    rest
}

fn iso2022_jp(mut bytes: &[u8], kanji: &Pairs, output: &mut Output) {
    let mut set = Set::Ascii;
    while let Some((&first, rest)) = bytes.split_first() {
        if first == 0x1b {
            match rest.first() {
                None => {
                    output.bad();
                    return;
                }
                Some(b'(' | b')' | b'$' | b'.' | b'&') => {
                    let Some((length, chosen)) = escape(bytes) else {
                        output.bad();
                        return;
                    };
                    match chosen {
                        Some(chosen) => set = chosen,
                        None => output.bad(),
                    }
                    bytes = bytes.get(length..).unwrap_or_default();
                    continue;
                }
                Some(_) => {
                    bytes = foreign(bytes, &mut output.text);
                    continue;
                }
            }
        }
        bytes = rest;
        match set {
            _ if !first.is_ascii() => output.bad(),
            Set::Roman if first == b'\\' => output.text.push('\u{a5}'),
            Set::Roman if first == b'~' => output.text.push('\u{203e}'),
            Set::Kanji if first >= b' ' => {
                let Some((&second, after)) = rest.split_first() else {
                    output.bad();
                    return;
                };
                bytes = after;
                let pair = [first | 0x80, second | 0x80];
                match kanji.character(&pair).filter(|_| second.is_ascii()) {
                    Some(text) => output.text.push_str(&text),
                    None => output.bad(),
                }
            }
            Set::Ascii | Set::Roman | Set::Kanji => output.text.push(char::from(first)),
        }
    }
}
