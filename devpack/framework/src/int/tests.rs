#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::panic::catch_unwind;

use num_bigint::BigInt;
use num_integer::Integer as _;
use num_traits::{One as _, Signed as _, ToPrimitive as _, Zero as _};
use proptest::prelude::*;

use super::*;

/// Any number, with small ones and the edges of the range often.
fn numbers() -> impl Strategy<Value = Int> {
    let edge = prop_oneof![
        Just(Int::MIN),
        Just(Int::MAX),
        Just(Int::MIN + 1),
        Just(Int::MAX - 1),
        Just(int(0)),
        Just(int(1)),
        Just(int(-1)),
        Just(int(i64::MAX)),
        Just(int(i64::MIN)),
        Just(Int::from_i128(i128::MAX)),
        Just(Int::from_i128(i128::MIN)),
    ];
    let small = any::<i64>().prop_map(int);
    let short = (-20i64..20).prop_map(int);
    let wide = any::<[u8; 32]>().prop_map(|bytes| Int::from_le_bytes(&bytes).unwrap());
    let some_bytes = prop::collection::vec(any::<u8>(), 0..=32)
        .prop_map(|bytes| Int::from_le_bytes(&bytes).unwrap());
    prop_oneof![2 => edge, 2 => small, 2 => short, 2 => wide, 2 => some_bytes]
}

fn big(value: Int) -> BigInt {
    value.to_string().parse().unwrap()
}

/// What the range lets through: the number, or nothing for a fault.
fn in_range(value: BigInt) -> Option<BigInt> {
    let limit: BigInt = BigInt::one() << 255;
    (-limit.clone() <= value && value < limit).then_some(value)
}

/// The result as a big number, or nothing for a fault.
fn outcome(operation: impl FnOnce() -> Int + std::panic::UnwindSafe) -> Option<BigInt> {
    quietly(|| catch_unwind(operation)).ok().map(big)
}

/// The panic hook would print each expected fault.
fn quietly<R>(code: impl FnOnce() -> R) -> R {
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.with(std::cell::Cell::get) {
                report(info);
            }
        }));
    });
    QUIET.with(|quiet| quiet.set(true));
    let result = code();
    QUIET.with(|quiet| quiet.set(false));
    result
}

thread_local! {
    static QUIET: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn arithmetic_is_that_of_big_numbers_within_the_range(a in numbers(), b in numbers()) {
        let (x, y) = (big(a), big(b));
        prop_assert_eq!(outcome(|| a + b), in_range(&x + &y));
        prop_assert_eq!(outcome(|| a - b), in_range(&x - &y));
        prop_assert_eq!(outcome(|| a * b), in_range(&x * &y));
        prop_assert_eq!(outcome(|| -a), in_range(-&x));
        prop_assert_eq!(outcome(|| a.abs()), in_range(x.abs()));
        let quotient = (!y.is_zero()).then(|| &x / &y).and_then(in_range);
        prop_assert_eq!(outcome(|| a / b), quotient);
        let remainder = (!y.is_zero()).then(|| &x % &y).and_then(in_range);
        prop_assert_eq!(outcome(|| a % b), remainder);
    }

    #[test]
    fn bits_are_those_of_big_numbers(a in numbers(), b in numbers()) {
        let (x, y) = (big(a), big(b));
        prop_assert_eq!(big(a & b), &x & &y);
        prop_assert_eq!(big(a | b), &x | &y);
        prop_assert_eq!(big(a ^ b), &x ^ &y);
        prop_assert_eq!(big(!a), -&x - 1);
    }

    #[test]
    fn shifts_floor_and_fault_out_of_range(a in numbers(), count in -3i64..260) {
        let x = big(a);
        let valid = (0..=256).contains(&count);
        let left = valid.then(|| &x << count.unsigned_abs()).and_then(in_range);
        prop_assert_eq!(outcome(|| a << count), left);
        let right = valid.then(|| x.div_floor(&(BigInt::one() << count.unsigned_abs())));
        prop_assert_eq!(outcome(|| a >> count), right);
    }

    #[test]
    fn powers_and_roots_are_those_of_big_numbers(a in numbers(), exponent in -1i64..258) {
        let x = big(a);
        let power = (0..=256).contains(&exponent).then(|| x.pow(exponent as u32)).and_then(in_range);
        prop_assert_eq!(outcome(|| a.pow(exponent)), power);
        let root = (!x.is_negative()).then(|| x.sqrt());
        prop_assert_eq!(outcome(|| a.sqrt()), root);
    }

    #[test]
    fn order_is_that_of_big_numbers(a in numbers(), b in numbers(), c in numbers()) {
        let (x, y, z) = (big(a), big(b), big(c));
        prop_assert_eq!(a.cmp(&b), x.cmp(&y));
        prop_assert_eq!(a == b, x == y);
        prop_assert_eq!(big(a.min(b)), x.clone().min(y.clone()));
        prop_assert_eq!(big(a.max(b)), x.clone().max(y.clone()));
        prop_assert_eq!(a.within(b, c), y <= x && x < z);
        prop_assert_eq!(big(a.sign()), x.signum());
        let clamped = x.clone().clamp(BigInt::from(i64::MIN), BigInt::from(i64::MAX));
        prop_assert_eq!(a.small(), clamped.to_i64().unwrap());
    }

    #[test]
    fn bytes_are_minimal_and_come_back(a in numbers()) {
        let bytes = a.to_bytes();
        let expected = if a == 0 { Vec::new() } else { big(a).to_signed_bytes_le() };
        prop_assert_eq!(bytes.as_slice(), expected.as_slice());
        prop_assert_eq!(bytes.to_int(), a);
    }

    #[test]
    fn any_bytes_up_to_32_are_a_number(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let number = Int::from_le_bytes(&bytes);
        let expected = (bytes.len() <= 32).then(|| BigInt::from_signed_bytes_le(&bytes));
        prop_assert_eq!(number.map(big), expected);
    }
}

#[test]
fn division_truncates_and_shifting_floors() {
    assert_eq!(int(-7) / 2, int(-3));
    assert_eq!(int(-7) % 2, int(-1));
    assert_eq!(int(7) % -2, int(1));
    assert_eq!(int(-7) >> 1, int(-4));
}

#[test]
fn the_least_number_has_edges_of_its_own() {
    assert!(outcome(|| Int::MIN / -1).is_none());
    assert_eq!(Int::MIN % int(-1), int(0));
    assert_eq!(Int::MIN >> 256, int(-1));
    assert_eq!(Int::MAX >> 256, int(0));
    assert_eq!(int(-1) << 255, Int::MIN);
    assert!(outcome(|| int(1) << 255).is_none());
    assert_eq!(int(-2).pow(255), Int::MIN);
}

#[test]
fn a_constant_stands_in_a_pattern() {
    const FIVE: Int = int(5);
    assert!(matches!(int(2) + 3, FIVE));
    assert!(matches!(int(7).small(), 6..=8));
}

#[test]
fn a_number_takes_literals_on_both_sides() {
    let mut x = 2 * int(3) + 1;
    x += 3;
    x -= int(2);
    assert!(x == 8 && x < 9 && x >= int(8) && 1 + x == int(9));
}
