//! Token amounts as people write them.

use num_bigint::{BigInt, BigUint, Sign};

/// Decimals of SOUL and GAS; NEO has none.
pub const DECIMALS: u32 = 8;

/// Why a text is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    #[error("\"{text}\" is not an amount; write it like 12 or 0.5")]
    NotANumber { text: String },
    #[error("\"{text}\" has more than {decimals} digits after the point")]
    TooFine { text: String, decimals: u32 },
}

/// Parses a decimal amount that is not negative into the token's smallest units.
pub fn parse(text: &str, decimals: u32) -> Result<BigInt, AmountError> {
    let not_a_number = || AmountError::NotANumber {
        text: text.to_owned(),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let point_alone = text.contains('.') && fraction.is_empty();
    if whole.is_empty() || point_alone || !is_digits(whole) || !is_digits(fraction) {
        return Err(not_a_number());
    }
    let width = decimals as usize;
    if fraction.len() > width {
        return Err(AmountError::TooFine {
            text: text.to_owned(),
            decimals,
        });
    }
    format!("{whole}{fraction:0<width$}")
        .parse()
        .map_err(|_| not_a_number())
}

/// Shows smallest units as a decimal number without trailing zeros.
pub fn show(units: &BigInt, decimals: u32) -> String {
    let one = BigUint::from(10_u8).pow(decimals);
    let (whole, fraction) = (units.magnitude() / &one, units.magnitude() % &one);
    let sign = if units.sign() == Sign::Minus { "-" } else { "" };
    if fraction == BigUint::ZERO {
        return format!("{sign}{whole}");
    }
    let width = decimals as usize;
    let fraction = format!("{:0>width$}", fraction.to_string());
    format!("{sign}{whole}.{}", fraction.trim_end_matches('0'))
}

/// SOUL from its smallest units.
pub fn soul(units: u64) -> String {
    with_decimals(units, DECIMALS)
}

/// Points of reputation from millionths.
pub fn reputation(millionths: u64) -> String {
    with_decimals(millionths, 6)
}

/// A number of smallest units.
pub fn with_decimals(units: u64, decimals: u32) -> String {
    show(&BigInt::from(units), decimals)
}

/// GAS from datoshi.
pub fn gas(datoshi: i64) -> String {
    show(&BigInt::from(datoshi), DECIMALS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_as_written() {
        for (text, units) in [
            ("0", 0_i64),
            ("1", 100_000_000),
            ("0.5", 50_000_000),
            ("12.00000001", 1_200_000_001),
        ] {
            assert_eq!(parse(text, 8).unwrap(), BigInt::from(units), "{text}");
        }
        assert_eq!(parse("7", 0).unwrap(), BigInt::from(7));
    }

    #[test]
    fn what_is_no_amount_is_refused_by_name() {
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "0x10", "1.2.3", "١",
        ] {
            assert_eq!(
                parse(text, 8),
                Err(AmountError::NotANumber { text: text.into() }),
                "{text:?}"
            );
        }
        assert!(matches!(
            parse("0.000000001", 8),
            Err(AmountError::TooFine { .. })
        ));
        assert!(matches!(parse("0.5", 0), Err(AmountError::TooFine { .. })));
    }

    #[test]
    fn negative_differences_show_their_sign() {
        assert_eq!(gas(-150_000_000), "-1.5");
        assert_eq!(gas(1), "0.00000001");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(units in 0_u64.., decimals in 0_u32..20) {
            let units = BigInt::from(units);
            prop_assert_eq!(parse(&show(&units, decimals), decimals).unwrap(), units);
        }
    }
}
