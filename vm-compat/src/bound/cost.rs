//! Amounts of everything that a call may use up.

use super::prices::Price;

/// PicoGAS in a datoshi.
const PICO: u128 = 10_000;

/// What the node charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// PicoGAS of a price unit: PolicyContract's `getExecPicoFeeFactor`, or 10,000 times its `getExecFeeFactor`.
    pub unit_pico: u64,
    /// Datoshi of a stored byte: PolicyContract's `getStoragePrice`.
    pub byte_datoshi: u64,
}

impl Default for Fees {
    /// Neo's own defaults.
    fn default() -> Fees {
        Fees {
            unit_pico: 300_000,
            byte_datoshi: 100_000,
        }
    }
}

/// The most that something takes. Each number is a bound of its own: two of them may come from different ways through a
/// script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Instructions of scripts.
    pub steps: u64,
    /// Execution, in price units.
    pub units: u64,
    /// Bytes of storage that are paid for.
    pub bytes: u64,
    /// GAS, in 10⁻¹² GAS.
    pub gas_pico: u128,
    /// SOUL that the caller's account is charged, in smallest units; `u128::MAX` if only `maxPayment` limits it.
    pub soul: u128,
    /// SOUL that boxes are charged, in smallest units; `u128::MAX` if only their balances limit it.
    pub box_soul: u128,
    /// Scripts that run inside of others.
    pub nested: u64,
}

impl Cost {
    /// A price, in GAS too.
    #[must_use]
    pub fn of(price: Price, fees: &Fees) -> Cost {
        let execution = u128::from(price.units) * u128::from(fees.unit_pico);
        let storage = u128::from(price.bytes) * u128::from(fees.byte_datoshi) * PICO;
        Cost {
            units: price.units,
            bytes: price.bytes,
            gas_pico: execution.saturating_add(storage),
            ..Cost::default()
        }
    }

    /// GAS in datoshi, rounded up as the node does.
    #[must_use]
    pub fn gas_datoshi(&self) -> u128 {
        self.gas_pico.div_ceil(PICO)
    }

    /// One after the other.
    #[must_use]
    pub fn and(&self, other: &Cost) -> Cost {
        self.each(other, u64::saturating_add, u128::saturating_add)
    }

    /// One or the other.
    #[must_use]
    pub fn or(&self, other: &Cost) -> Cost {
        self.each(other, u64::max, u128::max)
    }

    fn each(
        &self,
        other: &Cost,
        small: fn(u64, u64) -> u64,
        large: fn(u128, u128) -> u128,
    ) -> Cost {
        Cost {
            steps: small(self.steps, other.steps),
            units: small(self.units, other.units),
            bytes: small(self.bytes, other.bytes),
            gas_pico: large(self.gas_pico, other.gas_pico),
            soul: large(self.soul, other.soul),
            box_soul: large(self.box_soul, other.box_soul),
            nested: small(self.nested, other.nested),
        }
    }

    /// So many times.
    #[must_use]
    pub fn times(&self, n: u64) -> Cost {
        let large = |amount: u128| amount.saturating_mul(n.into());
        Cost {
            steps: self.steps.saturating_mul(n),
            units: self.units.saturating_mul(n),
            bytes: self.bytes.saturating_mul(n),
            gas_pico: large(self.gas_pico),
            soul: large(self.soul),
            box_soul: large(self.box_soul),
            nested: self.nested.saturating_mul(n),
        }
    }
}

/// Bytes that Neo takes for a value of `new` bytes over one of `old`.
#[must_use]
pub fn overwritten(old: u64, new: u64) -> u64 {
    if new == 0 {
        0
    } else if old == 0 {
        new
    } else if new <= old {
        (new - 1) / 4 + 1
    } else {
        (old - 1) / 4 + 1 + new - old
    }
}

/// Bytes of a number that is not negative, as NeoVM writes it: with a sign, none for 0.
#[must_use]
pub(super) fn number_bytes(number: u64) -> u64 {
    if number == 0 {
        0
    } else {
        u64::from((u64::BITS - number.leading_zeros()) / 8 + 1)
    }
}

/// Bytes of a key with this box's number beyond those of a key with a number of one byte.
#[must_use]
pub(super) fn box_key(id: Option<u64>) -> u64 {
    id.map_or(MAX_NUMBER, number_bytes).saturating_sub(1)
}

/// The same of a content's key, whose index has no bytes when it is 0.
#[must_use]
pub(super) fn entry_key(id: Option<u64>, index: Option<u64>) -> u64 {
    box_key(id) + index.map_or(MAX_NUMBER, number_bytes)
}

/// Numbers of boxes and contents are below 2^32.
const MAX_NUMBER: u64 = 5;
