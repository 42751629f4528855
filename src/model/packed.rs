//! Packed: a cell as one text and back, without loss; how our own client gets the cells of the service.
//!
//! A letter for the kind, then the value: `i12`, `sabc`, `t1000000`, `l["i1",null]`, `r[["a","i1"]]`. NULL is no text.

use super::table::Cell;
use super::time::Time;
use std::fmt::Write;

/// Returns the cell as text, none for NULL.
#[must_use]
pub fn pack(cell: &Cell) -> Option<String> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Bool(truth) => format!("b{}", u8::from(*truth)),
        Cell::Int(number) => format!("i{number}"),
        Cell::Big(number) => format!("g{number}"),
        Cell::Float(number) => format!("f{:x}", number.to_bits()),
        Cell::Text(text) => format!("s{text}"),
        Cell::Time(time) => format!("t{}", time.0),
        Cell::Blob(bytes) => {
            let mut text = String::with_capacity(1 + bytes.len() * 2);
            text.push('x');
            for byte in bytes {
                let _ = write!(text, "{byte:02x}");
            }
            text
        }
        Cell::List(cells) => {
            let packed: Vec<Option<String>> = cells.iter().map(pack).collect();
            format!("l{}", serde_json::to_string(&packed).unwrap_or_default())
        }
        Cell::Struct(fields) => {
            let packed: Vec<_> = fields
                .iter()
                .map(|(name, cell)| (name, pack(cell)))
                .collect();
            format!("r{}", serde_json::to_string(&packed).unwrap_or_default())
        }
    })
}

/// Returns the cell of a text that [`pack`] made; any other text gives none.
#[must_use]
pub fn unpack(text: Option<&str>) -> Option<Cell> {
    let Some(text) = text else {
        return Some(Cell::Null);
    };
    let mut rest = text.chars();
    let kind = rest.next()?;
    let rest = rest.as_str();
    Some(match kind {
        'b' => Cell::Bool(rest == "1"),
        'i' => Cell::Int(rest.parse().ok()?),
        'g' => Cell::Big(rest.parse().ok()?),
        'f' => Cell::Float(f64::from_bits(u64::from_str_radix(rest, 16).ok()?)),
        's' => Cell::Text(rest.to_owned()),
        't' => Cell::Time(Time(rest.parse().ok()?)),
        'x' => Cell::Blob(bytes(rest)?),
        'l' => {
            let packed: Vec<Option<String>> = serde_json::from_str(rest).ok()?;
            let cells = packed.iter().map(|cell| unpack(cell.as_deref()));
            Cell::List(cells.collect::<Option<_>>()?)
        }
        'r' => {
            let packed: Vec<(String, Option<String>)> = serde_json::from_str(rest).ok()?;
            let fields = packed
                .into_iter()
                .map(|(name, cell)| Some((name, unpack(cell.as_deref())?)));
            Cell::Struct(fields.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    Some(
        pairs
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cells() -> impl Strategy<Value = Cell> {
        let leaf = prop_oneof![
            Just(Cell::Null),
            any::<bool>().prop_map(Cell::Bool),
            any::<i64>().prop_map(Cell::Int),
            any::<i128>().prop_map(Cell::Big),
            any::<f64>().prop_map(Cell::Float),
            any::<String>().prop_map(Cell::Text),
            any::<i64>().prop_map(|micros| Cell::Time(Time(micros))),
            any::<Vec<u8>>().prop_map(Cell::Blob),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Cell::List),
                prop::collection::vec((any::<String>(), inner), 0..4).prop_map(Cell::Struct),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_cell_comes_back(cell in cells()) {
            let back = unpack(pack(&cell).as_deref());
            // NaN is not equal to itself.
            prop_assert_eq!(format!("{back:?}"), format!("{:?}", Some(cell)));
        }

        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let _ = unpack(Some(&text));
        }
    }
}
