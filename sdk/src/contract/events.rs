//! The contract's events, as subscriptions and receipts bring them.

use neo_client::{Hash160, ItemError, Notification};

use super::types::fields;

/// Something that happened in the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContractEvent {
    /// SOUL moved; no sender when minted, no receiver when burned.
    Transfer {
        from: Option<Hash160>,
        to: Option<Hash160>,
        amount: u64,
    },
    BoxCreated {
        box_id: u64,
        owner: Hash160,
        name: String,
    },
    ContentWritten {
        box_id: u64,
        index: u64,
        author: Hash160,
    },
    /// The latest content was read and taken off, or deleted.
    ContentRemoved {
        box_id: u64,
        index: u64,
    },
    GateReplaced {
        box_id: u64,
    },
    /// An account was put on the include list of a box, or taken off it.
    Membership {
        box_id: u64,
        account: Hash160,
        included: bool,
    },
    /// What a box holds from now on.
    BoxBalance {
        box_id: u64,
        balance: u64,
    },
    ContentCreated {
        root: [u8; 32],
        owner: Hash160,
        size: u64,
        expiry_ms: u64,
    },
}

impl ContractEvent {
    /// None for events of other contracts, for those that say the same again (NEP-5's `transfer`), and for unknown
    /// ones.
    pub fn parse(contract: &Hash160, event: &Notification) -> Option<Self> {
        if event.contract != *contract {
            return None;
        }
        Self::read(event).ok().flatten()
    }

    fn read(event: &Notification) -> Result<Option<Self>, ItemError> {
        let state = &event.state;
        Ok(Some(match event.name.as_str() {
            "Transfer" => {
                let [from, to, amount] = fields(state)?;
                let account = |item: &neo_client::StackItem| {
                    if item.is_null() {
                        Ok(None)
                    } else {
                        item.as_hash160().map(Some)
                    }
                };
                Self::Transfer {
                    from: account(from)?,
                    to: account(to)?,
                    amount: amount.as_u64()?,
                }
            }
            "BoxCreated" => {
                let [box_id, owner, name] = fields(state)?;
                Self::BoxCreated {
                    box_id: box_id.as_u64()?,
                    owner: owner.as_hash160()?,
                    name: name.as_text()?,
                }
            }
            "ContentWritten" => {
                let [box_id, index, author] = fields(state)?;
                Self::ContentWritten {
                    box_id: box_id.as_u64()?,
                    index: index.as_u64()?,
                    author: author.as_hash160()?,
                }
            }
            "ContentRemoved" => {
                let [box_id, index] = fields(state)?;
                Self::ContentRemoved {
                    box_id: box_id.as_u64()?,
                    index: index.as_u64()?,
                }
            }
            "GateReplaced" => {
                let [box_id] = fields(state)?;
                Self::GateReplaced {
                    box_id: box_id.as_u64()?,
                }
            }
            "Membership" => {
                let [box_id, account, included] = fields(state)?;
                Self::Membership {
                    box_id: box_id.as_u64()?,
                    account: account.as_hash160()?,
                    included: included.as_bool()?,
                }
            }
            "BoxBalance" => {
                let [box_id, balance] = fields(state)?;
                Self::BoxBalance {
                    box_id: box_id.as_u64()?,
                    balance: balance.as_u64()?,
                }
            }
            "ContentCreated" => {
                let [root, owner, size, expiry] = fields(state)?;
                Self::ContentCreated {
                    root: root.as_hash256()?.0,
                    owner: owner.as_hash160()?,
                    size: size.as_u64()?,
                    expiry_ms: expiry.as_u64()?,
                }
            }
            _ => return Ok(None),
        }))
    }
}

#[cfg(test)]
mod tests {
    use neo_client::StackItem;

    use super::*;

    fn event(name: &str, state: Vec<StackItem>) -> Notification {
        Notification {
            contract: Hash160([1; 20]),
            name: name.to_owned(),
            state: StackItem::Array(state),
        }
    }

    #[test]
    fn our_events_are_read_and_others_passed_over() {
        let author = StackItem::ByteString(vec![7; 20]);
        let written = event(
            "ContentWritten",
            vec![
                StackItem::Integer(3.into()),
                StackItem::Integer(0.into()),
                author,
            ],
        );
        let expected = ContractEvent::ContentWritten {
            box_id: 3,
            index: 0,
            author: Hash160([7; 20]),
        };
        assert_eq!(
            ContractEvent::parse(&Hash160([1; 20]), &written),
            Some(expected)
        );
        assert_eq!(ContractEvent::parse(&Hash160([2; 20]), &written), None);
        assert_eq!(
            ContractEvent::parse(&Hash160([1; 20]), &event("Other", vec![])),
            None
        );
        assert_eq!(
            ContractEvent::parse(&Hash160([1; 20]), &event("BoxCreated", vec![])),
            None
        );
    }

    #[test]
    fn minting_has_no_sender() {
        let minted = event(
            "Transfer",
            vec![
                StackItem::Null,
                StackItem::ByteString(vec![7; 20]),
                StackItem::Integer(5.into()),
            ],
        );
        let expected = ContractEvent::Transfer {
            from: None,
            to: Some(Hash160([7; 20])),
            amount: 5,
        };
        assert_eq!(
            ContractEvent::parse(&Hash160([1; 20]), &minted),
            Some(expected)
        );
    }
}
