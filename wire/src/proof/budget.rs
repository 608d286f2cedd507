//! What proofs may cost.

use super::{Call, Policy};

const DAY_MS: u64 = 24 * 3_600_000;

/// What an agent must not forget over a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The day that `spent` belongs to, counted from 1970.
    pub day: u64,
    /// Datoshi spent on it.
    pub spent: u64,
    pub last_start_ms: Option<u64>,
}

/// A call that is not made for its price. Amounts in datoshi.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooDear {
    #[error("the call costs {price} datoshi, one may cost {limit}")]
    Call { price: u64, limit: u64 },
    #[error("the call costs {price} datoshi, {left} are left for such calls today")]
    Day { price: u64, left: u64 },
}

impl Memory {
    /// Spent on the day of `now_ms`.
    pub fn spent_today(&self, now_ms: u64) -> u64 {
        match self.day == now_ms / DAY_MS {
            true => self.spent,
            false => 0,
        }
    }

    pub(super) fn afford(
        &self,
        policy: &Policy,
        call: &Call,
        price: u64,
        now_ms: u64,
    ) -> Result<(), TooDear> {
        let limit = policy.gas_per_call;
        if price > limit {
            return Err(TooDear::Call { price, limit });
        }
        let all = match call {
            Call::Show { .. } => policy.gas_per_day,
            Call::Accept { .. }
            | Call::Fail { .. }
            | Call::Retract { .. }
            | Call::Offer { .. }
            | Call::Start { .. }
            | Call::Obtain => policy.gas_per_day / 2,
        };
        let left = all.saturating_sub(self.spent_today(now_ms));
        match price <= left {
            true => Ok(()),
            false => Err(TooDear::Day { price, left }),
        }
    }

    pub(super) fn spend(&mut self, datoshi: u64, now_ms: u64) {
        self.spent = self.spent_today(now_ms).saturating_add(datoshi);
        self.day = now_ms / DAY_MS;
    }

    pub(super) fn refund(&mut self, datoshi: u64, now_ms: u64) {
        self.spent = self.spent_today(now_ms).saturating_sub(datoshi);
        self.day = now_ms / DAY_MS;
    }
}
