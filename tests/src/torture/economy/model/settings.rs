//! What is fixed at deployment, by the seed of a sequence.

use super::super::world::{DAY, SUPPLY};
use crate::torture::random::Random;

/// Of all three contracts; times in ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub node_fee: i64,
    pub validation_fee: i64,
    pub pot_share: i64,
    pub minimum: i64,
    pub wait: i64,
    pub wait_cap: i64,
    pub min_age: i64,
    pub quiet: i64,
    pub deadline: i64,
    pub soul: SoulSettings,
    pub sale: SaleSettings,
}

/// Of the contract that has the SOUL, and of the one box in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoulSettings {
    pub box_fee: i64,
    pub content_base_fee: i64,
    pub pool_share: i64,
    pub max_supply: i64,
    /// What the box's gate takes.
    pub price: i64,
}

/// Of the sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleSettings {
    pub hard_cap: i64,
    /// From the deployment to the opening.
    pub opens_in: i64,
    /// From the opening to the end.
    pub length: i64,
    /// From the end to the latest end.
    pub slack: i64,
    /// rateNeo, rateGas, bonus, cap, lockup, locks.
    pub tiers: Vec<[i64; 6]>,
    /// cliff, step, steps, reserve.
    pub lockups: Vec<[i64; 4]>,
}

impl Settings {
    /// Of one sequence.
    pub fn random(random: &mut Random) -> Settings {
        let wait = random.pick(&[0, 60_000, 1_000_000]);
        Settings {
            node_fee: random.pick(&[0, 100, 300]),
            validation_fee: random.pick(&[0, 1, 7]),
            pot_share: random.pick(&[1, 10, 50, 100]),
            minimum: random.pick(&[1, 1, 2, 3]),
            wait,
            wait_cap: wait * 2,
            min_age: random.pick(&[0, 10_000, 3_600_000]),
            quiet: random.pick(&[0, 600_000, 3_600_000]),
            deadline: random.pick(&[20_000, 300_000]),
            soul: SoulSettings {
                box_fee: random.pick(&[0, 5000]),
                content_base_fee: random.pick(&[0, 1, 3]),
                pool_share: random.pick(&[0, 20, 33, 100]),
                max_supply: SUPPLY + random.pick(&[20_000, 10_000_000]),
                price: random.pick(&[1, 9, 100]),
            },
            sale: SaleSettings::random(random),
        }
    }

    /// As `_deploy` of the proofs takes them, behind the hash.
    pub fn list(&self) -> [i64; 9] {
        [
            self.node_fee,
            self.validation_fee,
            self.pot_share,
            self.minimum,
            self.wait,
            self.wait_cap,
            self.min_age,
            self.quiet,
            self.deadline,
        ]
    }
}

impl SaleSettings {
    fn random(random: &mut Random) -> SaleSettings {
        // Of the first, whose rates are odd numbers, roundings show.
        let tiers = vec![
            [997, 333, 0, 20_000, 0, 0],
            [1000, 331, random.pick(&[7, 20]), 20_000, 1, 1],
            [random.pick(&[0, 900]), 211, 10, 30_000, 2, 2],
            [1009, 0, 0, 5000, 3, 2],
        ];
        let reserve = random.pick(&[1000, 50_000]);
        let lockups = vec![
            [0, 1, 3, 0],
            [random.pick(&[0, 2]), random.pick(&[2, 30]), 4, reserve],
            [3, 1, 12, reserve],
        ];
        SaleSettings {
            hard_cap: random.pick(&[15_000, 60_000, 1_000_000]),
            opens_in: random.pick(&[1, 60_000, 3_600_000]),
            length: random.pick(&[DAY, 10 * DAY, 30 * DAY]),
            slack: random.pick(&[0, DAY, 30 * DAY]),
            tiers,
            lockups,
        }
    }
}
