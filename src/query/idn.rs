//! Idn: a domain in letters of any script as the DNS writes it (`xn--…`, RFC 3492), and back.
//!
//! Postfix logs what the client said, and that may be either. Limits: letters are made small, but not brought into one normal form.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const FIRST_BIAS: u32 = 72;
const FIRST_CODE: u32 = 128;
/// Longest label of the DNS; keeps the work small.
const MOST: usize = 63;

/// Returns the other spelling of an address or domain; none where there is but one.
pub(super) fn other(text: &str) -> Option<String> {
    let (before, domain) = match text.rsplit_once('@') {
        Some((local, domain)) => (format!("{local}@"), domain),
        None => (String::new(), text),
    };
    let labels: Vec<String> = domain.split('.').map(label).collect::<Option<_>>()?;
    let spelled = labels.join(".");
    (!spelled.eq_ignore_ascii_case(domain)).then(|| before + &spelled)
}

fn label(label: &str) -> Option<String> {
    if label.len() > 4 * MOST {
        return None;
    }
    let small = label.to_lowercase();
    match small.strip_prefix("xn--") {
        Some(coded) => decode(coded).filter(|letters| !letters.is_ascii()),
        None if small.is_ascii() => Some(label.to_owned()),
        None => encode(&small).map(|coded| format!("xn--{coded}")),
    }
}

fn adapt(delta: u32, count: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / DAMP } else { delta / 2 };
    delta += delta / count;
    let mut k = 0;
    while delta > ((BASE - T_MIN) * T_MAX) / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

fn threshold(k: u32, bias: u32) -> u32 {
    k.saturating_sub(bias).clamp(T_MIN, T_MAX)
}

fn digit(value: u32) -> Option<char> {
    char::from_digit(value, BASE).map(|_| {
        let byte = u8::try_from(value).unwrap_or(0);
        char::from(if byte < 26 {
            b'a' + byte
        } else {
            b'0' + byte - 26
        })
    })
}

fn value(digit: char) -> Option<u32> {
    match digit {
        'a'..='z' => Some(u32::from(digit) - u32::from('a')),
        '0'..='9' => Some(u32::from(digit) - u32::from('0') + 26),
        _ => None,
    }
}

fn encode(label: &str) -> Option<String> {
    let codes: Vec<u32> = label.chars().map(u32::from).collect();
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    let mut done = basic;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias) = (FIRST_CODE, 0_u32, FIRST_BIAS);
    while (done as usize) < codes.len() {
        let next = codes.iter().copied().filter(|code| *code >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(done + 1)?)?;
        n = next;
        for code in &codes {
            if *code < n {
                delta = delta.checked_add(1)?;
            }
            if *code != n {
                continue;
            }
            let mut q = delta;
            let mut k = BASE;
            loop {
                let t = threshold(k, bias);
                if q < t {
                    break;
                }
                out.push(digit(t + (q - t) % (BASE - t))?);
                q = (q - t) / (BASE - t);
                k += BASE;
            }
            out.push(digit(q)?);
            bias = adapt(delta, done + 1, done == basic);
            delta = 0;
            done += 1;
        }
        delta = delta.checked_add(1)?;
        n += 1;
    }
    Some(out)
}

fn decode(coded: &str) -> Option<String> {
    let (basic, rest) = coded.rsplit_once('-').unwrap_or(("", coded));
    let mut out: Vec<char> = basic.chars().collect();
    let (mut code, mut i, mut bias) = (FIRST_CODE, 0_u32, FIRST_BIAS);
    let mut digits = rest.chars();
    while let Some(first) = digits.next() {
        let before = i;
        let (mut weight, mut k, mut next) = (1_u32, BASE, first);
        loop {
            let digit = value(next)?;
            i = i.checked_add(digit.checked_mul(weight)?)?;
            let t = threshold(k, bias);
            if digit < t {
                break;
            }
            weight = weight.checked_mul(BASE - t)?;
            k += BASE;
            next = digits.next()?;
        }
        let count = u32::try_from(out.len()).ok()? + 1;
        bias = adapt(i - before, count, before == 0);
        code = code.checked_add(i / count)?;
        i %= count;
        out.insert(i as usize, char::from_u32(code)?);
        i += 1;
    }
    Some(out.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_lead_to_each_other() {
        for (letters, coded) in [
            ("müller@exämple.de", "müller@xn--exmple-cua.de"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("a@пример.испытание", "a@xn--e1afmkfd.xn--80akhbyknj4f"),
            ("straße.example", "xn--strae-oqa.example"),
        ] {
            assert_eq!(other(letters).as_deref(), Some(coded));
            assert_eq!(other(coded).as_deref(), Some(letters));
        }
        assert_eq!(
            other("MÜLLER.example").as_deref(),
            Some("xn--mller-kva.example")
        );
    }

    #[test]
    fn what_has_one_spelling_has_no_other() {
        for text in [
            "alice@example.org",
            "",
            "@",
            "xn--",
            "müller@example.org",
            "xn--99999999999",
        ] {
            assert_eq!(other(text), None, "{text}");
        }
    }
}
