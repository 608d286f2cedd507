//! Decimal text of integers up to 256 bits, kept as 32 bytes of little-endian two's complement.

/// Reads `-123`; nothing but digits and one sign, and it must fit 256 bits.
pub(crate) fn parse(text: &str) -> Option<[u8; 32]> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = [0u8; 32];
    for digit in digits.chars() {
        let mut carry = digit.to_digit(10)?;
        for byte in &mut value {
            carry += u32::from(*byte) * 10;
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    let value = if negative { negate(value) } else { value };
    let zero = value.iter().all(|b| *b == 0);
    (is_negative(&value) == (negative && !zero)).then_some(value)
}

/// The text of 1 to 32 bytes of little-endian two's complement.
pub(crate) fn print(bytes: &[u8]) -> String {
    let negative = is_negative(bytes);
    let mut value = [if negative { 0xFF } else { 0 }; 32];
    for (to, from) in value.iter_mut().zip(bytes) {
        *to = *from;
    }
    if negative {
        value = negate(value);
    }
    let mut digits = Vec::new();
    while value.iter().any(|b| *b != 0) {
        let mut rest = 0u32;
        for byte in value.iter_mut().rev() {
            rest = rest << 8 | u32::from(*byte);
            *byte = (rest / 10).to_le_bytes()[0];
            rest %= 10;
        }
        digits.push(char::from_digit(rest, 10).unwrap_or('0'));
    }
    if digits.is_empty() {
        digits.push('0');
    }
    if negative {
        digits.push('-');
    }
    digits.iter().rev().collect()
}

/// The same number in exactly `size` bytes, if it fits.
pub(crate) fn resize(value: &[u8; 32], size: usize) -> Option<Vec<u8>> {
    let (kept, cut) = value.split_at_checked(size)?;
    let fill = if is_negative(kept) { 0xFF } else { 0 };
    cut.iter().all(|b| *b == fill).then(|| kept.to_vec())
}

/// The same number without a sign in 8 bytes, if it fits.
pub(crate) fn to_u64(value: &[u8; 32]) -> Option<u64> {
    let (low, high) = value.split_first_chunk::<8>()?;
    let fits = high.iter().all(|b| *b == 0);
    fits.then(|| u64::from_le_bytes(*low))
}

fn is_negative(bytes: &[u8]) -> bool {
    bytes.last().is_some_and(|b| b & 0x80 != 0)
}

fn negate(value: [u8; 32]) -> [u8; 32] {
    let mut carry = true;
    value.map(|byte| {
        let (sum, over) = (!byte).overflowing_add(u8::from(carry));
        carry = over;
        sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) {
        assert_eq!(parse(text).map(|v| print(&v)).as_deref(), Some(text));
    }

    #[test]
    fn numbers_print_as_they_were_written() {
        let max = "57896044618658097711785492504343953926634992332820282019728792003956564819967";
        let min = "-57896044618658097711785492504343953926634992332820282019728792003956564819968";
        for text in [
            "0", "1", "-1", "127", "128", "-128", "-129", "65536", max, min,
        ] {
            check(text);
        }
    }

    #[test]
    fn what_is_over_256_bits_or_no_number_is_refused() {
        let above = "57896044618658097711785492504343953926634992332820282019728792003956564819968";
        let below =
            "-57896044618658097711785492504343953926634992332820282019728792003956564819969";
        for text in ["", "-", "+1", "1a", "1_000", " 1", above, below] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
