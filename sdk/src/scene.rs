//! A gate asked natively: over a new chain, or the state of the real one with another gate in place.
//!
//! A [`Scene`] is an emulated chain with a box; [`Scene::ask`] does with it what the caller wants to try and gives the
//! outcome with its recording. Nothing is changed on any real chain.

use std::time::{SystemTime, UNIX_EPOCH};

use phantasma_vm::{ScriptError, data_script, free_gate};

use crate::contract::DeployParams;
use crate::emulator::{Emulator, EmulatorError, Outcome, Snapshot, account};
use crate::neo::{ContractParam, Hash160, ItemError, Signer, StackItem, VmState};

pub use phantasma_vm::trace::Verb;

/// SOUL that the caller has on a new chain: enough for any gate somebody tries out.
const CALLERS_SOUL: u64 = 1000_0000_0000;
/// The box on a chain that has none of that name.
const BOX_NAME: &str = "debugged";
/// What is written or read when nothing else is given.
const CONTENT: &[u8] = b"a content";
/// Names that are tried for a new box beside those of a real chain.
const NAMES: u32 = 100;

/// What is to be tried.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What the caller does.
    pub verb: Verb,
    /// Who asks; somebody without a name if none.
    pub caller: Option<Hash160>,
    /// Whose box it is on a new chain; not the caller's if none.
    pub owner: Option<Hash160>,
    /// The gate; of a box on the chain, its own if none.
    pub gate: Option<Vec<u8>>,
    /// What is written or read; something short if none.
    pub content: Option<Vec<u8>>,
    /// A box by name or number.
    pub target: Option<String>,
    /// The most SOUL that gate and content may charge, in smallest units.
    pub max_payment: u64,
    /// The block's time; now if none.
    pub time_ms: Option<i64>,
}

impl Default for Trial {
    fn default() -> Self {
        Self {
            verb: Verb::Write,
            caller: None,
            owner: None,
            gate: None,
            content: None,
            target: None,
            max_payment: 0,
            time_ms: None,
        }
    }
}

/// Why it cannot be tried.
#[derive(Debug, thiserror::Error)]
pub enum SceneError {
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    #[error(transparent)]
    Answer(#[from] ItemError),
    #[error(transparent)]
    Script(#[from] ScriptError),
    #[error("{method}: {why}")]
    Refused { method: &'static str, why: String },
    #[error("there is no gate to try; give a script, or a box on the chain")]
    NoGate,
    #[error("there is no box \"{0}\" on the chain")]
    NoBox(String),
    #[error("box {0} has no content to read; give one")]
    NoContent(u64),
    #[error("no name is free for a new box; name one that is there")]
    NoName,
}

/// An emulated chain with a box on it.
pub struct Scene {
    emulator: Emulator,
    /// The box's number.
    pub id: u64,
    /// Whose box it is.
    pub owner: Hash160,
    /// Who asks.
    pub caller: Hash160,
}

impl Scene {
    /// A chain with nothing but a box that has the gate.
    ///
    /// # Errors
    /// No gate, or one that the contract refuses.
    pub fn fresh(params: &DeployParams, trial: &Trial) -> Result<Self, SceneError> {
        let gate = trial.gate.as_deref().ok_or(SceneError::NoGate)?;
        let supply = account("supply").hash;
        let emulator = Emulator::new(&DeployParams {
            owner: supply,
            ..params.clone()
        })?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let now = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        emulator.chain().set_time(trial.time_ms.unwrap_or(now));
        let (maker, caller) = (account("owner").hash, trial.caller());
        for to in [maker, caller] {
            let params = [
                supply.into(),
                to.into(),
                CALLERS_SOUL.into(),
                ContractParam::Any,
            ];
            must(&emulator, &supply, "transfer", &params)?;
        }
        let name = trial.target.as_deref().unwrap_or(BOX_NAME);
        let id = create_box(&emulator, name, gate)?;
        trial.prepare(&emulator, id, &maker, gate)?;
        let owner = trial.owner.unwrap_or(maker);
        if owner != maker {
            emulator.rename(&maker, &owner);
        }
        Ok(Self {
            emulator,
            id,
            owner,
            caller,
        })
    }

    /// The chain as it is, with another gate for a box, or another box, if so asked.
    ///
    /// # Errors
    /// No such box, or a gate that the contract refuses.
    pub fn live(snapshot: &Snapshot, trial: &Trial) -> Result<Self, SceneError> {
        let emulator = Emulator::from_snapshot(snapshot);
        let (id, owner) = match &trial.target {
            Some(target) => on_the_chain(&emulator, target, trial)?,
            None => beside_the_others(&emulator, trial)?,
        };
        if let Some(time_ms) = trial.time_ms {
            emulator.chain().set_time(time_ms);
        }
        Ok(Self {
            emulator,
            id,
            owner,
            caller: trial.caller(),
        })
    }

    /// Does it.
    ///
    /// # Errors
    /// There is nothing to read.
    pub fn ask(&self, trial: &Trial) -> Result<Outcome, SceneError> {
        let (emulator, id, caller) = (&self.emulator, self.id, self.caller);
        let signers = [Signer::new(caller)];
        match trial.verb {
            Verb::Write => trial.write(emulator, id, &caller, trial.max_payment),
            Verb::Read => {
                let count = emulator.call(&[], "contentCount", &[id.into()])?;
                let count = result(count, "contentCount")?.as_u64()?;
                let newest = count.checked_sub(1).ok_or(SceneError::NoContent(id))?;
                let params = [
                    caller.into(),
                    id.into(),
                    newest.into(),
                    trial.max_payment.into(),
                ];
                Ok(emulator.call(&signers, "readContentAt", &params)?)
            }
            Verb::Inspect => {
                let params = [caller.into(), id.into()];
                Ok(emulator.call(&signers, "inspectContent", &params)?)
            }
        }
    }
}

impl Trial {
    fn caller(&self) -> Hash160 {
        self.caller.unwrap_or_else(|| account("caller").hash)
    }

    /// Puts a content into a box to be read, while everybody may write, and then the gate back.
    fn prepare(
        &self,
        emulator: &Emulator,
        id: u64,
        owner: &Hash160,
        gate: &[u8],
    ) -> Result<(), SceneError> {
        if self.verb == Verb::Write {
            return Ok(());
        }
        replace(emulator, id, owner, &free_gate())?;
        result(self.write(emulator, id, owner, 0)?, "writeContent")?;
        replace(emulator, id, owner, gate)
    }

    fn write(
        &self,
        emulator: &Emulator,
        id: u64,
        caller: &Hash160,
        max_payment: u64,
    ) -> Result<Outcome, SceneError> {
        let script = match &self.content {
            Some(script) => script.clone(),
            None => data_script(CONTENT)?,
        };
        let params = [
            (*caller).into(),
            id.into(),
            ContractParam::bytes(script),
            max_payment.into(),
        ];
        Ok(emulator.call(&[Signer::new(*caller)], "writeContent", &params)?)
    }
}

/// A box of the chain, with the trial's gate and content if it has some.
fn on_the_chain(
    emulator: &Emulator,
    target: &str,
    trial: &Trial,
) -> Result<(u64, Hash160), SceneError> {
    let absent = || SceneError::NoBox(target.to_owned());
    let id = match target.parse() {
        Ok(id) => id,
        Err(_) => {
            let name = target.strip_prefix("name:").unwrap_or(target);
            let found = emulator.call(&[], "findBox", &[name.into()])?;
            result(found, "findBox")?.as_u64()?
        }
    };
    let info = emulator.call(&[], "boxInfo", &[id.into()])?;
    if info.state == VmState::Fault {
        return Err(absent());
    }
    let info = info.result();
    let field = |at: usize| info.as_array().ok().and_then(|fields| fields.get(at));
    let owner = field(1).ok_or_else(absent)?.as_hash160()?;
    if let Some(gate) = &trial.gate {
        replace(emulator, id, &owner, gate)?;
    }
    if trial.content.is_some() {
        let own = field(4).ok_or_else(absent)?.as_bytes()?;
        let gate = trial.gate.as_deref().unwrap_or(&own);
        trial.prepare(emulator, id, &owner, gate)?;
    }
    Ok((id, owner))
}

/// A new box on the chain.
fn beside_the_others(emulator: &Emulator, trial: &Trial) -> Result<(u64, Hash160), SceneError> {
    let gate = trial.gate.as_deref().ok_or(SceneError::NoGate)?;
    emulator.waive_box_fee();
    let id = create_box(emulator, &free_name(emulator)?, gate)?;
    let owner = account("owner").hash;
    trial.prepare(emulator, id, &owner, gate)?;
    Ok((id, owner))
}

/// A name that no box on the chain has.
fn free_name(emulator: &Emulator) -> Result<String, SceneError> {
    for n in 0..NAMES {
        let name = format!("{BOX_NAME}_{n}");
        let found = emulator.call(&[], "findBox", &[name.as_str().into()])?;
        if result(found, "findBox")?.as_u64()? == 0 {
            return Ok(name);
        }
    }
    Err(SceneError::NoName)
}

/// A box of the account "owner", the only one whose public key is known here.
fn create_box(emulator: &Emulator, name: &str, gate: &[u8]) -> Result<u64, SceneError> {
    let owner = account("owner");
    let params = [
        owner.hash.into(),
        name.into(),
        owner.public_key.into(),
        ContractParam::bytes(gate),
    ];
    Ok(must(emulator, &owner.hash, "createBox", &params)?.as_u64()?)
}

fn replace(emulator: &Emulator, id: u64, owner: &Hash160, gate: &[u8]) -> Result<(), SceneError> {
    let params = [id.into(), ContractParam::bytes(gate)];
    must(emulator, owner, "replaceGate", &params).map(drop)
}

/// A call that sets the scene and has to work.
fn must(
    emulator: &Emulator,
    signer: &Hash160,
    method: &'static str,
    params: &[ContractParam],
) -> Result<StackItem, SceneError> {
    let outcome = emulator.call(&[Signer::new(*signer)], method, params)?;
    result(outcome, method)
}

fn result(outcome: Outcome, method: &'static str) -> Result<StackItem, SceneError> {
    match &outcome.exception {
        Some(why) => Err(SceneError::Refused {
            method,
            why: why.clone(),
        }),
        None => Ok(outcome.result()),
    }
}
