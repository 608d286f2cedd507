//! The sale's events, as receipts and subscriptions bring them.

use neo_client::{Hash160, ItemError, Notification};

use super::Phase;
use crate::contract::fields;

/// Something that happened in the sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaleEvent {
    /// `accepted` and `refund` are of the token, the others SOUL.
    Sold {
        account: Hash160,
        token: Hash160,
        accepted: u64,
        refund: u64,
        base: u64,
        bonus: u64,
    },
    Locked {
        account: Hash160,
        amount: u64,
        lockup: u64,
    },
    Unlocked {
        account: Hash160,
        amount: u64,
    },
    /// Off the whitelist when the tier is 0.
    Whitelisted {
        account: Hash160,
        tier: u64,
    },
    /// Paused, resumed, put off or ended.
    SaleChanged {
        phase: Phase,
        opening_ms: u64,
        end_ms: u64,
    },
}

impl SaleEvent {
    /// None for events of other contracts, and unknown ones.
    pub fn parse(contract: &Hash160, event: &Notification) -> Option<Self> {
        if event.contract != *contract {
            return None;
        }
        Self::read(event).ok().flatten()
    }

    fn read(event: &Notification) -> Result<Option<Self>, ItemError> {
        let state = &event.state;
        Ok(Some(match event.name.as_str() {
            "Sold" => {
                let [account, token, accepted, refund, base, bonus] = fields(state)?;
                Self::Sold {
                    account: account.as_hash160()?,
                    token: token.as_hash160()?,
                    accepted: accepted.as_u64()?,
                    refund: refund.as_u64()?,
                    base: base.as_u64()?,
                    bonus: bonus.as_u64()?,
                }
            }
            "Locked" => {
                let [account, amount, lockup] = fields(state)?;
                Self::Locked {
                    account: account.as_hash160()?,
                    amount: amount.as_u64()?,
                    lockup: lockup.as_u64()?,
                }
            }
            "Unlocked" => {
                let [account, amount] = fields(state)?;
                Self::Unlocked {
                    account: account.as_hash160()?,
                    amount: amount.as_u64()?,
                }
            }
            "Whitelisted" => {
                let [account, tier] = fields(state)?;
                Self::Whitelisted {
                    account: account.as_hash160()?,
                    tier: tier.as_u64()?,
                }
            }
            "SaleChanged" => {
                let [phase, opening, end] = fields(state)?;
                Self::SaleChanged {
                    phase: Phase::from_item(phase)?,
                    opening_ms: opening.as_u64()?,
                    end_ms: end.as_u64()?,
                }
            }
            _ => return Ok(None),
        }))
    }
}
