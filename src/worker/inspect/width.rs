//! How wide a text is.

/// Lengths as JavaScript counts them: UTF-16 units.
pub fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Columns of a terminal: wide characters take two, marks that combine take none.
pub fn columns(text: &str) -> usize {
    if text.is_ascii() {
        return text.bytes().filter(|byte| (0x20..0x7f).contains(byte)).count();
    }
    let mut columns = 0;
    let mut after_joiner = false;
    for c in text.chars() {
        let joined = std::mem::replace(&mut after_joiner, c == '\u{200d}');
        // A family of joined pictures is drawn as one.
        if !joined || !is_picture(c) {
            columns += columns_of(c);
        }
    }
    columns
}

/// Ranges of characters without a width of their own.
const ZERO: [(u32, u32); 20] = [
    (0x0000, 0x001f),
    (0x007f, 0x009f),
    (0x00ad, 0x00ad),
    (0x0300, 0x036f),
    (0x0483, 0x0489),
    (0x0591, 0x05bd),
    (0x0610, 0x061a),
    (0x064b, 0x065f),
    (0x0e31, 0x0e31),
    (0x0e34, 0x0e3a),
    (0x0e47, 0x0e4e),
    (0x1ab0, 0x1aff),
    (0x1dc0, 0x1dff),
    (0x200b, 0x200f),
    (0x2060, 0x2064),
    (0x20d0, 0x20ff),
    (0xfe00, 0xfe0f),
    (0xfe20, 0xfe2f),
    (0x1f3fb, 0x1f3ff),
    (0xe0100, 0xe01ef),
];

/// Ranges of characters that take two columns.
const WIDE: [(u32, u32); 33] = [
    (0x1100, 0x115f),
    (0x231a, 0x231b),
    (0x2329, 0x232a),
    (0x23e9, 0x23ec),
    (0x23f0, 0x23f0),
    (0x23f3, 0x23f3),
    (0x25fd, 0x25fe),
    (0x2614, 0x2615),
    (0x2648, 0x2653),
    (0x26a1, 0x26a1),
    (0x26aa, 0x26ab),
    (0x26bd, 0x26be),
    (0x26c4, 0x26c5),
    (0x26d4, 0x26d4),
    (0x26ea, 0x26ea),
    (0x2705, 0x2705),
    (0x270a, 0x270b),
    (0x2728, 0x2728),
    (0x274c, 0x274c),
    (0x2753, 0x2755),
    (0x2795, 0x2797),
    (0x2b1b, 0x2b1c),
    (0x2b50, 0x2b50),
    (0x2e80, 0x303e),
    (0x3041, 0x4dbf),
    (0x4e00, 0xa4cf),
    (0xa960, 0xa97c),
    (0xac00, 0xd7a3),
    (0xf900, 0xfaff),
    (0xfe10, 0xfe6b),
    (0xff01, 0xff60),
    (0xffe0, 0xffe6),
    (0x1f000, 0x3fffd),
];

fn is_in(ranges: &[(u32, u32)], code: u32) -> bool {
    ranges
        .binary_search_by(|(first, last)| {
            if code < *first {
                std::cmp::Ordering::Greater
            } else if code > *last {
                std::cmp::Ordering::Less
            } else {
                std::cmp::Ordering::Equal
            }
        })
        .is_ok()
}

fn is_picture(c: char) -> bool {
    (0x1f000..=0x1faff).contains(&u32::from(c)) || (0x2600..=0x27bf).contains(&u32::from(c))
}

fn columns_of(c: char) -> usize {
    let code = u32::from(c);
    if is_in(&ZERO, code) {
        0
    } else if is_in(&WIDE, code) {
        2
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::{columns, units};

    #[test]
    fn widths_are_those_of_a_terminal() {
        for (text, wide) in [("abc", 3), ("é", 1), ("e\u{301}", 1), ("漢字", 4), ("😀", 2), ("\n", 0), ("한", 2)]
        {
            assert_eq!(columns(text), wide, "{text:?}");
        }
        assert_eq!(units("😀a"), 3);
    }
}
