//! What goes into the contract and comes out of it.

use neo_client::{ContractParam, Hash160, ItemError, PublicKey, StackItem};
use phantasma_vm::bound::BoxFacts;

/// Parameters of a deployment; nobody can change them later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployParams {
    /// Gets the whole supply.
    pub owner: Hash160,
    pub initial_supply: u64,
    /// What `createBox` costs.
    pub box_fee: u64,
    /// What a block of 256 KiB costs in a period of 30 days, read-only, at low priority.
    pub content_base_fee: u64,
    /// The storage pool's percentage of payments, 0-100.
    pub pool_share: u8,
    /// The most SOUL that may exist at a time.
    pub max_supply: u64,
    /// The contract that may mint; zero if there is none.
    pub sale: Hash160,
    /// The contract that may collect and reward; zero if there is none.
    pub proofs: Hash160,
}

impl From<&DeployParams> for ContractParam {
    fn from(params: &DeployParams) -> Self {
        Self::Array(vec![
            params.owner.into(),
            params.initial_supply.into(),
            params.box_fee.into(),
            params.content_base_fee.into(),
            params.pool_share.into(),
            params.max_supply.into(),
            params.sale.into(),
            params.proofs.into(),
        ])
    }
}

/// What was fixed at deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub box_fee: u64,
    pub content_base_fee: u64,
    /// Percent.
    pub pool_share: u8,
    /// The most SOUL that may exist at a time.
    pub max_supply: u64,
    /// The contract that may mint; zero if there is none.
    pub sale: Hash160,
    /// The contract that may collect and reward; zero if there is none.
    pub proofs: Hash160,
}

/// A box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxInfo {
    pub id: u64,
    pub owner: Hash160,
    pub name: String,
    /// The owner's, to encrypt to.
    pub public_key: PublicKey,
    /// The script that decides over each access.
    pub gate: Vec<u8>,
    pub content_count: u64,
}

/// Whether stored content may be replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentMode {
    #[default]
    ReadOnly,
    Writable,
}

/// How many nodes keep stored content, and what goes first when disks are full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
}

impl ContentMode {
    pub(super) fn number(self) -> u8 {
        match self {
            Self::ReadOnly => 0,
            Self::Writable => 1,
        }
    }
}

impl Priority {
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Low => 0,
            Self::Normal => 1,
            Self::High => 2,
        }
    }
}

/// Stored content to be registered and paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentOrder {
    /// RFC 6962 root over the chunks of the ciphertext: the content's id.
    pub root: [u8; 32],
    /// Bytes of ciphertext.
    pub size: u64,
    pub mode: ContentMode,
    pub priority: Priority,
    /// Of 30 days each.
    pub periods: u32,
    /// The most SOUL it may cost; more is a refusal.
    pub max_payment: u64,
}

impl ContentOrder {
    pub(super) fn params(&self, owner: &Hash160) -> [ContractParam; 7] {
        [
            (*owner).into(),
            ContractParam::bytes(self.root),
            self.size.into(),
            self.mode.number().into(),
            self.priority.number().into(),
            self.periods.into(),
            self.max_payment.into(),
        ]
    }

    /// What it costs under these settings; None when the number is beyond 64 bits.
    pub fn fee(&self, settings: &Settings) -> Option<u64> {
        let blocks = self
            .size
            .div_ceil(phantasma_wire::merkle::BLOCK_SIZE as u64);
        let factor = (u64::from(self.priority.number()) + 1) * (u64::from(self.mode.number()) + 1);
        blocks
            .checked_mul(self.periods.into())?
            .checked_mul(settings.content_base_fee)?
            .checked_mul(factor)
    }
}

/// What the contract knows of stored content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentInfo {
    pub root: [u8; 32],
    pub size: u64,
    pub owner: Hash160,
    pub mode: ContentMode,
    pub priority: Priority,
    /// Paid until then.
    pub expiry_ms: u64,
    pub created_ms: u64,
}

impl Settings {
    pub(crate) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [
            box_fee,
            content_base_fee,
            pool_share,
            max_supply,
            sale,
            proofs,
        ] = fields(item)?;
        let share = pool_share.as_u64()?;
        let pool_share = u8::try_from(share).map_err(|_| odd("a percentage", share))?;
        Ok(Self {
            box_fee: box_fee.as_u64()?,
            content_base_fee: content_base_fee.as_u64()?,
            pool_share,
            max_supply: max_supply.as_u64()?,
            sale: sale.as_hash160()?,
            proofs: proofs.as_hash160()?,
        })
    }
}

impl BoxInfo {
    pub(crate) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [id, owner, name, public_key, gate, content_count] = fields(item)?;
        Ok(Self {
            id: id.as_u64()?,
            owner: owner.as_hash160()?,
            name: name.as_text()?,
            public_key: public_key.as_public_key()?,
            gate: gate.as_bytes()?,
            content_count: content_count.as_u64()?,
        })
    }
}

impl From<&BoxInfo> for BoxFacts {
    fn from(info: &BoxInfo) -> Self {
        Self {
            owner: info.owner.0,
            gate: info.gate.clone(),
            contents: info.content_count,
        }
    }
}

impl ContentInfo {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [root, size, owner, mode, priority, expiry, created] = fields(item)?;
        let mode = match mode.as_u64()? {
            0 => ContentMode::ReadOnly,
            1 => ContentMode::Writable,
            other => return Err(odd("mode 0 or 1", other)),
        };
        let priority = match priority.as_u64()? {
            0 => Priority::Low,
            1 => Priority::Normal,
            2 => Priority::High,
            other => return Err(odd("priority 0 to 2", other)),
        };
        Ok(Self {
            root: root.as_hash256()?.0,
            size: size.as_u64()?,
            owner: owner.as_hash160()?,
            mode,
            priority,
            expiry_ms: expiry.as_u64()?,
            created_ms: created.as_u64()?,
        })
    }
}

/// The members of a Struct of exactly `N`.
pub(crate) fn fields<const N: usize>(item: &StackItem) -> Result<&[StackItem; N], ItemError> {
    let items = item.as_array()?;
    items.try_into().map_err(|_| ItemError::Type {
        expected: "a struct with the contract's fields",
        found: format!("{} fields instead of {N}", items.len()),
    })
}

/// A number that means nothing.
pub(crate) fn odd(expected: &'static str, found: u64) -> ItemError {
    ItemError::Type {
        expected,
        found: found.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn content(priority: i64) -> StackItem {
        let integer = |n: i64| StackItem::Integer(n.into());
        let bytes = |b: &[u8]| StackItem::ByteString(b.to_vec());
        let fields = [
            bytes(&[1; 32]),
            integer(5),
            bytes(&[2; 20]),
            integer(1),
            integer(priority),
            integer(9),
            integer(8),
        ];
        StackItem::Struct(fields.to_vec())
    }

    #[test]
    fn content_is_read_field_by_field() {
        let info = ContentInfo::from_item(&content(2)).unwrap();
        assert_eq!(
            (info.size, info.mode, info.priority),
            (5, ContentMode::Writable, Priority::High)
        );
        assert_eq!(
            (info.root, info.owner, info.expiry_ms, info.created_ms),
            ([1; 32], Hash160([2; 20]), 9, 8)
        );
    }

    #[test]
    fn another_contracts_answer_is_refused_with_its_shape() {
        assert!(
            ContentInfo::from_item(&content(7))
                .unwrap_err()
                .to_string()
                .contains("priority")
        );
        assert!(
            Settings::from_item(&content(0))
                .unwrap_err()
                .to_string()
                .contains("7 fields instead of 6")
        );
        assert!(BoxInfo::from_item(&StackItem::Null).is_err());
    }

    #[test]
    fn the_fee_counts_started_blocks_and_doubles_for_writable() {
        let settings = Settings {
            box_fee: 0,
            content_base_fee: 10,
            pool_share: 20,
            max_supply: 0,
            sale: Hash160::ZERO,
            proofs: Hash160::ZERO,
        };
        let order = |size, mode, priority| ContentOrder {
            root: [0; 32],
            size,
            mode,
            priority,
            periods: 3,
            max_payment: 0,
        };
        assert_eq!(
            order(1, ContentMode::ReadOnly, Priority::Low).fee(&settings),
            Some(30)
        );
        assert_eq!(
            order(262_145, ContentMode::Writable, Priority::High).fee(&settings),
            Some(2 * 3 * 10 * 3 * 2)
        );
        assert_eq!(
            order(u64::MAX, ContentMode::Writable, Priority::High).fee(&Settings {
                content_base_fee: u64::MAX,
                ..settings
            }),
            None
        );
    }
}
