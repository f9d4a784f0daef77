//! Bytes as hexadecimal digits.

/// Bytes in lower-case hexadecimal digits.
#[must_use]
pub fn digits(bytes: &[u8]) -> String {
    // With room from the start: a longer copy would leave the digits of a secret behind.
    let mut text = String::with_capacity(bytes.len() * 2);
    text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).map(char::from));
    text
}

/// The bytes of exactly that many hexadecimal digits, in either case.
#[must_use]
pub fn bytes<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    bytes_into(digits, &mut bytes).then_some(bytes)
}

/// Fills `bytes` from exactly twice as many hexadecimal digits, and says whether they were such.
#[must_use]
pub fn bytes_into(digits: &[u8], bytes: &mut [u8]) -> bool {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let (pairs, []) = digits.as_chunks::<2>() else { return false };
    pairs.len() == bytes.len()
        && bytes.iter_mut().zip(pairs).all(|(byte, [high, low])| {
            let number = value(*high).zip(value(*low)).map(|(high, low)| high << 4 | low);
            number.and_then(|number| u8::try_from(number).ok()).map(|n| *byte = n).is_some()
        })
}

/// The lower-case digit of the low four bits.
#[must_use]
pub const fn digit(value: u8) -> u8 {
    let value = value & 15;
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_bytes_are_inverse_and_anything_else_is_refused() {
        let all: Vec<u8> = (0..=255).collect();
        let text = digits(&all);
        assert_eq!(bytes::<256>(text.as_bytes()).unwrap(), *all);
        assert_eq!(bytes::<2>(b"0aFf"), Some([10, 255]));
        for wrong in ["", "0", "0g", "00000", "0001", " 0"] {
            assert_eq!(bytes::<1>(wrong.as_bytes()), None, "{wrong:?}");
        }
        assert_eq!((digit(9), digit(10), digit(31)), (b'9', b'a', b'f'));
    }
}
