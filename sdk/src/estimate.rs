//! What a call of the contract takes at most, computed from what the chain has now: fees, gates, contents.
//!
//! The chain charges less or the same, as long as nobody changes the boxes in between. See `phantasma_vm::bound` for how.

use std::collections::BTreeMap;

use neo_client::{
    ContractParam, Hash160, POLICY, ScriptBuilder, ScriptError, StackItem, VmState, flags,
};
use phantasma_vm::bound::{
    Bound, BoundError, BoxFacts, Boxes, Call, Fees, Lookup, Method, Missing, Target, call_bound,
    entry_units,
};

use crate::contract::{BoxInfo, ContractError, Phantasma, Settings};

/// What is done with a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// `createBox`, with that name.
    Create(String),
    /// `writeContent`.
    Write(Vec<u8>),
    /// `readContentAt`, of the content with that index; of the newest if none.
    ReadAt(Option<u64>),
    /// `readContent`.
    Read,
    /// `callContent`: index, inputs.
    Call(u64, Vec<ContractParam>),
    /// `inspectContent`.
    Inspect,
    /// `deleteContent`.
    Delete,
    /// `replaceContent`.
    Replace(Vec<u8>),
}

/// A box on the chain, or one that could be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The box with this number.
    Box(u64),
    /// A box with this gate and a content, both scripts.
    Scripts {
        /// The gate.
        gate: Vec<u8>,
        /// What lies in it, if anything does.
        content: Option<Vec<u8>>,
    },
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Which box.
    pub subject: Subject,
    /// What is done.
    pub access: Access,
    /// Who does it; anybody if none.
    pub caller: Option<Hash160>,
    /// The most SOUL that scripts may charge, in smallest units.
    pub max_payment: u64,
    /// Whether to ask the node for boxes that scripts act on, a round of requests for each that they lead to.
    pub follow: bool,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The contract's method.
    pub method: &'static str,
    /// The most that it takes.
    pub bound: Bound,
    /// What the node charges.
    pub fees: Fees,
    /// The gate that was looked at.
    pub gate: Vec<u8>,
    /// The content that runs, if one does that is known.
    pub content: Option<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum EstimateError {
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error("the contract would refuse it: {0}")]
    Bound(#[from] BoundError),
    #[error("there is no box {0}")]
    NoBox(u64),
    #[error("box {0} has no such content")]
    NoContent(u64),
    #[error(transparent)]
    Script(#[from] ScriptError),
}

/// Rounds of requests for what nested scripts lead to: they nest 8 deep.
const MAX_ROUNDS: usize = 9;
/// Boxes and contents that are asked for: more scripts do not run in one call.
const MAX_LOOKUPS: usize = 128;

/// Fees and settings of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainFees {
    /// What the node charges.
    pub fees: Fees,
    /// What the contract charges.
    pub settings: Settings,
}

/// What the chain has answered.
#[derive(Clone, Debug, Default)]
struct Seen {
    boxes: BTreeMap<u64, Lookup<BoxFacts>>,
    contents: BTreeMap<(u64, u64), Lookup<Vec<u8>>>,
}

impl Boxes for Seen {
    fn facts(&self, id: u64) -> Lookup<BoxFacts> {
        self.boxes.get(&id).cloned().unwrap_or(Lookup::Unknown)
    }

    fn content(&self, id: u64, index: u64) -> Lookup<Vec<u8>> {
        let known = self.contents.get(&(id, index)).cloned();
        known.unwrap_or(Lookup::Unknown)
    }
}

/// The bound of a question about scripts that are on no chain, at these fees.
///
/// # Errors
/// A script that the contract would refuse.
pub fn estimate_offline(
    gate: &[u8],
    content: Option<&[u8]>,
    question: &Question,
    fees: &Fees,
) -> Result<Estimate, EstimateError> {
    let subject = Loaded {
        target: Target {
            gate: gate.to_vec(),
            ..Target::default()
        },
        content: content.map(<[u8]>::to_vec),
    };
    let chain = (*fees, None);
    answer(question, &subject, &chain, &Seen::default(), &Hash160::ZERO)
}

impl Phantasma {
    /// What the node and the contract charge, and a box: all in one request. On a chain without the fee factor's four
    /// more decimals it takes two.
    async fn look(&self, id: Option<u64>) -> Result<(ChainFees, Option<BoxInfo>), EstimateError> {
        let exact = ("getExecPicoFeeFactor", 1);
        let rounded = ("getExecFeeFactor", 10_000);
        let mut fault = String::new();
        for (factor, pico) in [exact, rounded] {
            let mut script = ScriptBuilder::new();
            script.call(&POLICY, factor, flags::READ_ONLY, &[]);
            script.call(&POLICY, "getStoragePrice", flags::READ_ONLY, &[]);
            script.call(&self.hash(), "settings", flags::READ_ONLY, &[]);
            if let Some(id) = id {
                script.call(&self.hash(), "boxInfo", flags::READ_ONLY, &[id.into()]);
            }
            let result = self.rpc().invoke_script(&script.build()?, &[]).await;
            let result = result.map_err(ContractError::from)?;
            if result.state == VmState::Halt {
                return self.looked(&result.stack, pico);
            }
            fault = result.exception.unwrap_or_default();
            if let Some(id) = id.filter(|_| fault.contains("no such box")) {
                return Err(EstimateError::NoBox(id));
            }
        }
        Err(ContractError::Fault {
            method: "settings",
            exception: fault,
        }
        .into())
    }

    fn looked(
        &self,
        stack: &[StackItem],
        pico: u64,
    ) -> Result<(ChainFees, Option<BoxInfo>), EstimateError> {
        let null = StackItem::Null;
        let item = |at: usize| stack.get(at).unwrap_or(&null);
        let odd = |source| ContractError::Answer {
            method: "settings",
            contract: self.hash(),
            source,
        };
        let fees = Fees {
            unit_pico: item(0).as_u64().map_err(odd)?.saturating_mul(pico),
            byte_datoshi: item(1).as_u64().map_err(odd)?,
        };
        let settings = Settings::from_item(item(2)).map_err(odd)?;
        let info = match stack.get(3) {
            Some(item) => Some(BoxInfo::from_item(item).map_err(odd)?),
            None => None,
        };
        Ok((ChainFees { fees, settings }, info))
    }

    /// What the node charges for execution and storage, and the contract for boxes and content.
    ///
    /// # Errors
    /// A node that cannot be reached, or a contract that is not ours.
    pub async fn chain_fees(&self) -> Result<ChainFees, EstimateError> {
        Ok(self.look(None).await?.0)
    }

    /// What a call takes at most. With `follow` off and without a content to look up it is one request to the node.
    ///
    /// # Errors
    /// No such box or content, a script that the contract would refuse, a node that cannot be reached.
    pub async fn estimate(&self, question: &Question) -> Result<Estimate, EstimateError> {
        let id = match question.subject {
            Subject::Box(id) => Some(id),
            Subject::Scripts { .. } => None,
        };
        let (chain, info) = self.look(id).await?;
        let subject = self.loaded(question, info).await?;
        let chain = (chain.fees, Some(chain.settings));
        let mut seen = Seen::default();
        let mut found = answer(question, &subject, &chain, &seen, &self.hash())?;
        for _ in 0..MAX_ROUNDS {
            let missing = found.bound.missing.clone();
            let known = seen.boxes.len() + seen.contents.len();
            if !question.follow || missing.is_empty() || known + missing.len() > MAX_LOOKUPS {
                break;
            }
            for what in missing {
                self.fetch(what, &mut seen).await?;
            }
            found = answer(question, &subject, &chain, &seen, &self.hash())?;
        }
        Ok(found)
    }

    async fn loaded(
        &self,
        question: &Question,
        info: Option<BoxInfo>,
    ) -> Result<Loaded, EstimateError> {
        let info = match (&question.subject, info) {
            (Subject::Scripts { gate, content }, _) => {
                return Ok(Loaded {
                    target: Target {
                        gate: gate.clone(),
                        ..Target::default()
                    },
                    content: content.clone(),
                });
            }
            (Subject::Box(_), Some(info)) => info,
            (Subject::Box(id), None) => return Err(EstimateError::NoBox(*id)),
        };
        let last = info.content_count.checked_sub(1);
        let index = match &question.access {
            Access::ReadAt(Some(index)) | Access::Call(index, _) => Some(*index),
            Access::ReadAt(None) | Access::Read | Access::Inspect => {
                Some(last.ok_or(EstimateError::NoContent(info.id))?)
            }
            Access::Replace(_) => last.filter(|_| question.follow),
            Access::Create(_) | Access::Write(_) | Access::Delete => None,
        };
        let content = match index {
            Some(index) if index >= info.content_count => {
                return Err(EstimateError::NoContent(info.id));
            }
            Some(index) => Some(self.content_at(info.id, index).await?),
            None => None,
        };
        Ok(Loaded {
            target: Target {
                id: Some(info.id),
                owner: Some(info.owner.0),
                gate: info.gate,
                contents: Some(info.content_count),
            },
            content,
        })
    }

    async fn fetch(&self, what: Missing, seen: &mut Seen) -> Result<(), ContractError> {
        match what {
            Missing::Box(id) => {
                let found = match self.box_info(id).await? {
                    Some(info) => Lookup::Found((&info).into()),
                    None => Lookup::Absent,
                };
                seen.boxes.insert(id, found);
            }
            Missing::Content(id, index) => {
                let found = match self.content_at(id, index).await {
                    Ok(script) => Lookup::Found(script),
                    Err(ContractError::Fault { .. }) => Lookup::Absent,
                    Err(error) => return Err(error),
                };
                seen.contents.insert((id, index), found);
            }
        }
        Ok(())
    }
}

/// The subject of a question, with its scripts.
struct Loaded {
    target: Target,
    content: Option<Vec<u8>>,
}

fn answer(
    question: &Question,
    subject: &Loaded,
    (fees, settings): &(Fees, Option<Settings>),
    seen: &Seen,
    contract: &Hash160,
) -> Result<Estimate, EstimateError> {
    let content = subject.content.clone();
    let (name, method) = match &question.access {
        Access::Create(name) => {
            let name_bytes = name.len() as u64;
            ("createBox", Method::Create { name_bytes })
        }
        Access::Write(content) => {
            let content = content.clone();
            ("writeContent", Method::Write { content })
        }
        Access::ReadAt(_) => ("readContentAt", Method::ReadAt { content }),
        Access::Read => ("readContent", Method::Read { content }),
        Access::Call(_, inputs) => {
            let inputs = inputs.len() as u64;
            ("callContent", Method::Call { content, inputs })
        }
        Access::Inspect => ("inspectContent", Method::Inspect { content }),
        Access::Delete => ("deleteContent", Method::Delete),
        Access::Replace(content) => {
            let old_bytes = subject.content.as_ref().map(|old| old.len() as u64);
            let content = content.clone();
            ("replaceContent", Method::Replace { content, old_bytes })
        }
    };
    let call = Call {
        target: subject.target.clone(),
        method,
        caller: question.caller.map(|caller| caller.0),
        max_payment: question.max_payment,
        content_base_fee: settings.map(|settings| settings.content_base_fee),
        box_fee: settings.map(|settings| settings.box_fee),
        entry_units: entry(question, subject, name, contract)?,
    };
    let runs = !matches!(question.access, Access::Replace(_));
    Ok(Estimate {
        method: name,
        bound: call_bound(&call, fees, seen)?,
        fees: *fees,
        gate: subject.target.gate.clone(),
        content: subject.content.clone().filter(|_| runs),
    })
}

/// Price units of the transaction's own script.
fn entry(
    question: &Question,
    subject: &Loaded,
    method: &str,
    contract: &Hash160,
) -> Result<u64, ScriptError> {
    let caller: ContractParam = question.caller.unwrap_or(Hash160::ZERO).into();
    let id: ContractParam = subject.target.id.unwrap_or(u64::from(u32::MAX)).into();
    let most: ContractParam = question.max_payment.into();
    let params = match &question.access {
        Access::Create(name) => {
            let key = ContractParam::bytes([0; 33].to_vec());
            vec![
                caller,
                name.as_str().into(),
                key,
                subject.target.gate[..].into(),
            ]
        }
        Access::Write(content) | Access::Replace(content) => {
            vec![caller, id, content[..].into(), most]
        }
        Access::ReadAt(index) => vec![caller, id, index.unwrap_or(u64::MAX).into(), most],
        Access::Read => vec![caller, id, most],
        Access::Call(index, inputs) => {
            let inputs = ContractParam::Array(inputs.clone());
            vec![caller, id, (*index).into(), inputs, most]
        }
        Access::Inspect | Access::Delete => vec![caller, id],
    };
    let mut script = ScriptBuilder::new();
    script.call(contract, method, flags::ALL, &params);
    Ok(entry_units(&script.build()?))
}
