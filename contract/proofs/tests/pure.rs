//! The parts that need no chain, each against another way to the same number.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "kit/twister.rs"]
mod reference;

use neo_framework::{Int, int};
use phantasma_proofs::{network, queue, tally, twister};
use proptest::prelude::*;
use reference::Reference;

fn pair(seed: u32, index: i64) -> [i64; 2] {
    let (first, second) = twister::pair(int(i64::from(seed)), int(index));
    [first, second].map(|x| x.to_i64().unwrap())
}

#[test]
fn the_twister_gives_the_published_numbers() {
    let published = [
        3_499_211_612,
        581_869_302,
        3_890_346_734,
        3_586_334_585,
        545_404_204,
    ];
    for (index, both) in published.windows(2).enumerate() {
        assert_eq!(pair(5489, index as i64), [both[0], both[1]]);
    }
    let mut reference = Reference::new(5489);
    let all: Vec<u32> = (0..10_000).map(|_| reference.next()).collect();
    assert_eq!(i64::from(all[0]), published[0]);
    assert_eq!(all[9999], 4_123_659_995);
}

/// In exact fractions of 10^k: how likely it is that at most `missed` of `n` draws fail at 1 %.
fn doubt(n: u64, missed: u64) -> f64 {
    let mut sum = 0.0;
    let mut ways = 1.0;
    for i in 0..=missed {
        sum += ways * 0.01f64.powi(i as i32) * 0.99f64.powi((n - i) as i32);
        ways = ways * (n - i) as f64 / (i + 1) as f64;
    }
    sum
}

#[test]
fn confidence_grows_with_proofs_as_the_formula_says() {
    let of = |n, missed| tally::confidence(int(n), int(missed)).to_i64().unwrap();
    assert_eq!(of(0, 0), 0);
    assert_eq!(of(1, 0), 9_999);
    assert_eq!(of(30, 0), 260_299);
    assert_eq!(of(300, 0), 950_959);
    assert_eq!(of(1, 1), 0);
    assert_eq!(of(10_000, 33), 0);
    assert_eq!(of(4_000_000_000, 0), 999_999);
}

proptest! {
    #[test]
    fn the_twister_equals_the_reference(seed: u32, index in 0..226i64) {
        let mut reference = Reference::new(seed);
        let all: Vec<i64> = (0..227).map(|_| i64::from(reference.next())).collect();
        let index_of = index as usize;
        prop_assert_eq!(pair(seed, index), [all[index_of], all[index_of + 1]]);
    }

    #[test]
    fn confidence_is_never_above_the_exact_value(n in 0..3000u64, missed in 0..=32u64) {
        prop_assume!(missed <= n);
        let exact = (1.0 - doubt(n, missed)).max(0.0) * 1e6;
        let ours = tally::confidence(int(n as i64), int(missed as i64)).to_i64().unwrap() as f64;
        prop_assert!(ours <= exact + 1e-3 && ours >= exact - 2.001, "{ours} {exact}");
    }

    #[test]
    fn the_average_moves_by_one_part_in_n(average in 0..=network::FULL, reputation in 0..=network::FULL, n in 0..1000i64) {
        let moved = network::moved(int(average), int(reputation), int(n)).to_i64().unwrap();
        let exact = average as f64 + (reputation - average) as f64 / n.max(1) as f64;
        prop_assert!((moved as f64 - exact).abs() < 1.0);
        prop_assert!(moved >= average.min(reputation) && moved <= average.max(reputation));
        let raised = network::raised(int(reputation)).to_i64().unwrap();
        prop_assert_eq!(raised, (reputation as f64 + (1e9 - reputation as f64) / 16.0).floor() as i64);
        let lowered = network::lowered(int(reputation)).to_i64().unwrap();
        prop_assert_eq!(lowered, (reputation as f64 * 0.75).ceil() as i64);
    }

    #[test]
    fn a_queue_holds_the_oldest_in_order(numbers in prop::collection::vec(1..0x7FFF_FFFFi64, 0..20), small: bool) {
        let numbers: Vec<i64> = numbers.into_iter().map(|n| if small { n % 12 + 1 } else { n }).collect();
        let mut ours = Int::ZERO;
        let mut model = std::collections::BTreeSet::new();
        for n in numbers {
            ours = queue::with(ours, int(n));
            model.insert(n);
            if model.len() > 8 {
                model.pop_last();
            }
            let shown: Vec<i64> = queue::list(ours).iter().map(|x| x.to_i64().unwrap()).collect();
            prop_assert_eq!(&shown, &model.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(queue::len(ours), shown.len() as i64);
            for (at, n) in shown.iter().enumerate() {
                prop_assert_eq!(queue::at(ours, int(at as i64)), *n);
            }
        }
    }
}
