//! What goes into the contract of proofs and comes out of it.

use neo_client::{ContractParam, Hash160, ItemError, PublicKey, StackItem};

use crate::contract::{fields, odd};

/// Parameters of a deployment; nobody can change them later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeployParams {
    /// The contract that has the SOUL and the register of content.
    pub phantasma: Hash160,
    /// What registering a node costs.
    pub node_fee: u64,
    /// What asking for a proof costs.
    pub validation_fee: u64,
    /// The part of the storage pool that one round pays out, 1 to 100 percent.
    pub pot_share_percent: u64,
    /// Fewest entries in each queue when a round closes, 1 to 8.
    pub minimum: u64,
    /// From one round's rewards to the next, at first.
    pub wait_ms: u64,
    /// The longest wait that this grows to.
    pub wait_cap_ms: u64,
    /// A node younger than this is in no queue.
    pub min_age_ms: u64,
    /// After this time without a proof the pair's own reputations decide who validates.
    pub quiet_ms: u64,
    /// A proof must be shown before this time is over.
    pub deadline_ms: u64,
}

/// What was fixed at deployment, as it was given.
pub type Settings = DeployParams;

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Not registered.
    Observer,
    /// At or below the average reputation.
    Prover,
    /// Above it.
    Validator,
}

/// A storage node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    pub account: Hash160,
    /// It also proves who it is in the storage network.
    pub public_key: PublicKey,
    /// Where it is reached.
    pub endpoints: String,
    /// From 1, in the order of registration.
    pub number: u64,
    /// Millionths of a point, up to 1000 points.
    pub reputation: u64,
    pub registered_ms: u64,
    pub role: Role,
}

/// A storage node in the list of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeEntry {
    pub account: Hash160,
    pub public_key: PublicKey,
    pub endpoints: String,
}

/// A challenge that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenProof {
    /// The content's root.
    pub content: [u8; 32],
    /// Bytes of the content.
    pub size: u64,
    /// The block of the content that was named; None for all of it.
    pub block: Option<u64>,
    pub started_ms: u64,
    pub shown: bool,
    /// The block of the chain that draws.
    pub draw: u64,
    /// None before that block is there.
    pub drawn: Option<Drawn>,
}

/// What the chain drew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Of the block that drew.
    pub nonce: u64,
    /// The chunk of 1 KiB to show, counted over the whole content.
    pub chunk: u64,
}

/// A chunk and its way to the content's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownChunk {
    pub chunk: Vec<u8>,
    /// Lowest hash first.
    pub path: Vec<[u8; 32]>,
}

/// How the proofs of a content went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentProofs {
    /// Proofs that were asked for over the whole content.
    pub challenges: u64,
    pub shown: u64,
    /// Declared failed.
    pub failures: u64,
    /// Millionths: how sure it is that at least 99 % of the chunks are there.
    pub confidence: u64,
}

/// Where the rewards stand. Nodes are told by their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RewardInfo {
    /// Rounds that were paid.
    pub rounds: u64,
    /// The next one can be closed from then on.
    pub next_ms: u64,
    /// They wait for it.
    pub validators: Vec<u64>,
    /// They wait for it.
    pub provers: Vec<u64>,
    /// What it shares out, or would if it were closed now.
    pub pot: u64,
    /// The block of the chain that draws the winners of the closed round; None if no round is closed.
    pub draw: Option<u64>,
    /// Of the closed round.
    pub closed_validators: Vec<u64>,
    /// Of the closed round.
    pub closed_provers: Vec<u64>,
}

impl From<&DeployParams> for ContractParam {
    fn from(params: &DeployParams) -> Self {
        Self::Array(vec![
            params.phantasma.into(),
            params.node_fee.into(),
            params.validation_fee.into(),
            params.pot_share_percent.into(),
            params.minimum.into(),
            params.wait_ms.into(),
            params.wait_cap_ms.into(),
            params.min_age_ms.into(),
            params.quiet_ms.into(),
            params.deadline_ms.into(),
        ])
    }
}

impl DeployParams {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [
            phantasma,
            node_fee,
            validation_fee,
            pot_share,
            minimum,
            wait,
            wait_cap,
            min_age,
            quiet,
            deadline,
        ] = fields(item)?;
        Ok(Self {
            phantasma: phantasma.as_hash160()?,
            node_fee: node_fee.as_u64()?,
            validation_fee: validation_fee.as_u64()?,
            pot_share_percent: pot_share.as_u64()?,
            minimum: minimum.as_u64()?,
            wait_ms: wait.as_u64()?,
            wait_cap_ms: wait_cap.as_u64()?,
            min_age_ms: min_age.as_u64()?,
            quiet_ms: quiet.as_u64()?,
            deadline_ms: deadline.as_u64()?,
        })
    }
}

impl Role {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        match item.as_u64()? {
            0 => Ok(Self::Observer),
            1 => Ok(Self::Prover),
            2 => Ok(Self::Validator),
            other => Err(odd("role 0 to 2", other)),
        }
    }
}

impl NodeInfo {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [
            account,
            public_key,
            endpoints,
            number,
            reputation,
            registered,
            role,
        ] = fields(item)?;
        Ok(Self {
            account: account.as_hash160()?,
            public_key: public_key.as_public_key()?,
            endpoints: endpoints.as_text()?,
            number: number.as_u64()?,
            reputation: reputation.as_u64()?,
            registered_ms: registered.as_u64()?,
            role: Role::from_item(role)?,
        })
    }
}

impl NodeEntry {
    /// Account, then public key and endpoints in one.
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [account, record] = fields(item)?;
        let record = record.as_bytes()?;
        let Some((key, endpoints)) = record.split_at_checked(KEY_BYTES) else {
            return Err(odd("a public key and endpoints", record.len() as u64));
        };
        Ok(Self {
            account: account.as_hash160()?,
            public_key: StackItem::ByteString(key.to_vec()).as_public_key()?,
            endpoints: StackItem::ByteString(endpoints.to_vec()).as_text()?,
        })
    }
}

/// A compressed public key.
const KEY_BYTES: usize = 33;

impl OpenProof {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [content, size, block, started, shown, draw, nonce, chunk] = fields(item)?;
        let drawn = match chunk.as_i64()? {
            -1 => None,
            _ => Some(Drawn {
                nonce: nonce.as_u64()?,
                chunk: chunk.as_u64()?,
            }),
        };
        Ok(Self {
            content: content.as_hash256()?.0,
            size: size.as_u64()?,
            block: match block.as_i64()? {
                -1 => None,
                _ => Some(block.as_u64()?),
            },
            started_ms: started.as_u64()?,
            shown: shown.as_bool()?,
            draw: draw.as_u64()?,
            drawn,
        })
    }
}

impl ContentProofs {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [challenges, shown, failures, confidence] = fields(item)?;
        Ok(Self {
            challenges: challenges.as_u64()?,
            shown: shown.as_u64()?,
            failures: failures.as_u64()?,
            confidence: confidence.as_u64()?,
        })
    }
}

impl RewardInfo {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [
            rounds,
            next,
            validators,
            provers,
            pot,
            draw,
            closed_validators,
            closed_provers,
        ] = fields(item)?;
        let draw = draw.as_u64()?;
        Ok(Self {
            rounds: rounds.as_u64()?,
            next_ms: next.as_u64()?,
            validators: numbers(validators)?,
            provers: numbers(provers)?,
            pot: pot.as_u64()?,
            draw: (draw != 0).then_some(draw),
            closed_validators: numbers(closed_validators)?,
            closed_provers: numbers(closed_provers)?,
        })
    }
}

fn numbers(item: &StackItem) -> Result<Vec<u64>, ItemError> {
    item.as_array()?.iter().map(StackItem::as_u64).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn integer(n: i64) -> StackItem {
        StackItem::Integer(n.into())
    }

    #[test]
    fn an_open_proof_says_what_was_drawn_or_nothing_yet() {
        let open = |block, nonce, chunk| {
            let mut fields = vec![StackItem::ByteString(vec![7; 32])];
            fields.extend([1 << 30, block, 5].map(integer));
            fields.push(StackItem::Boolean(false));
            fields.extend([9, nonce, chunk].map(integer));
            OpenProof::from_item(&StackItem::Struct(fields)).unwrap()
        };
        let waiting = open(-1, -1, -1);
        assert_eq!(
            (waiting.block, waiting.drawn, waiting.draw),
            (None, None, 9)
        );
        let drawn = open(3, 11, 0);
        assert_eq!(drawn.block, Some(3));
        assert_eq!(
            drawn.drawn,
            Some(Drawn {
                nonce: 11,
                chunk: 0
            })
        );
    }

    #[test]
    fn a_node_in_the_list_is_key_and_endpoints_in_one() {
        let key = "03470f900f012dd16f2d79560b0af00b07295678c4092105f7f8bfbbcad170c8f5";
        let key: PublicKey = key.parse().unwrap();
        let record = [&key.0[..], b"10.0.0.1:4000"].concat();
        let entry = |record: Vec<u8>| {
            let account = StackItem::ByteString(vec![2; 20]);
            NodeEntry::from_item(&StackItem::Struct(vec![
                account,
                StackItem::ByteString(record),
            ]))
        };
        let node = entry(record).unwrap();
        assert_eq!(
            (node.public_key, node.endpoints.as_str()),
            (key, "10.0.0.1:4000")
        );
        assert!(entry(vec![3; 32]).is_err());
    }
}
