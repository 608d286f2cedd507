//! What each instruction of the sub-VM costs on a real node, above its price in NeoVM.

mod instructions;
mod measure;
pub mod meter;
mod methods;
pub mod probe;

use std::path::{Path, PathBuf};

use neo_client::{ContractParam, Hash160, VmState};
use phantasma_vm::{Flow, Instr, Operand, TABLE, validate};

use crate::TestNet;

pub use measure::measured_prices;
pub(crate) use measure::{call, create};

/// Datoshi of a price unit.
const UNIT: i64 = 30;
/// Longest script that runs as a word: what an integer holds behind the author.
const WORD_SCRIPT: usize = 12;

/// One instruction's price in units.
#[derive(Clone, Copy, Debug)]
pub struct InstructionCost {
    pub mnemonic: &'static str,
    /// In a script of up to 12 bytes, which runs as a word; `None` if it does not fit.
    pub word: Option<i64>,
    /// In a longer script.
    pub byte: i64,
    /// What NeoVM itself takes for it; 0 for our own.
    pub native: i64,
}

impl InstructionCost {
    /// The interpreter's part in word mode, in byte mode where it does not fit.
    #[must_use]
    pub fn overhead(&self) -> i64 {
        self.word.unwrap_or(self.byte) - self.native
    }

    /// The interpreter's part in byte mode.
    #[must_use]
    pub fn overhead_in_bytes(&self) -> i64 {
        self.byte - self.native
    }
}

/// The middle one, of two the upper.
#[must_use]
pub fn median(mut values: Vec<i64>) -> i64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

/// Measures every instruction that goes on to the next one and is the interpreter's: the price of a script with it less
/// that of the same script without it.
pub async fn instruction_costs(net: &TestNet) -> Vec<InstructionCost> {
    let probe = Probe::deploy(net).await;
    let mut costs = Vec::new();
    for row in TABLE {
        let runs_on = matches!(row.flow, Flow::Next | Flow::Jump | Flow::Branch);
        if row.host || !runs_on {
            continue;
        }
        let (with, without) = scripts(row);
        let mut prices = [None, None];
        for (price, pad) in prices.iter_mut().zip([0, 32]) {
            if pad == 0 && with.len() > WORD_SCRIPT {
                continue;
            }
            // Never reached: it only makes the script long.
            let padding = [vec![0x40; pad.min(1)], vec![0x11; pad]].concat();
            let with = [&with[..], &padding].concat();
            let without = [&without[..], &padding].concat();
            *price = Some(probe.units(&with).await - probe.units(&without).await);
        }
        costs.push(InstructionCost {
            mnemonic: row.mnemonic,
            word: prices[0],
            byte: prices[1].unwrap_or(0),
            native: native(row),
        });
    }
    costs
}

fn native(row: &Instr) -> i64 {
    match row.mnemonic {
        // A native contract's method: the call and its work.
        "SHA256" => 65_536,
        _ => row.neo().map_or(0, |op| i64::from(op.price())),
    }
}

/// A script with the instruction, and the same without it.
fn scripts(row: &Instr) -> (Vec<u8>, Vec<u8>) {
    let below: &[u8] = match row.mnemonic {
        // A byte string of one byte, index 0, count 1.
        "SUBSTR" => &[0x12, 0x10, 0x11],
        // What takes nothing needs nothing, and the long numbers have no room for it.
        _ if row.pops == 0 => &[],
        _ => &[0x10, 0x12, 0x11],
    };
    let operand = match row.operand {
        Operand::None => vec![],
        Operand::Int(size) => vec![1; size],
        Operand::Data(size) => [vec![3], vec![0; size - 1], b"abc".to_vec()].concat(),
        Operand::Offset => vec![2],
        // `STATE own`, when it is true, is the dearest.
        Operand::State => vec![3],
        Operand::Id | Operand::Blocks => vec![5; 32],
        Operand::Locator => vec![3, 1, 2, 3],
    };
    let end = [0x11];
    let with = [below, &[row.byte], &operand, &end].concat();
    let without = [below, &end].concat();
    for script in [&with, &without] {
        validate(script).unwrap_or_else(|e| panic!("{}: {e}", row.mnemonic));
    }
    (with, without)
}

struct Probe<'n> {
    net: &'n TestNet,
    hash: Hash160,
}

impl<'n> Probe<'n> {
    async fn deploy(net: &'n TestNet) -> Probe<'n> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let externs = [("phantasma_vm".to_owned(), "vm-compat/src/lib.rs".to_owned())];
        let root = "tests/src/vmcost/probe.rs";
        let contract = neoc::compile(&Below(workspace), root, &externs)
            .unwrap_or_else(|e| panic!("the probe does not compile:\n{e}"));
        let deployer = net.funded_account(20).await;
        let (hash, _) = net
            .deploy_contract(
                &deployer,
                &contract.nef,
                &contract.manifest,
                ContractParam::Any,
            )
            .await;
        Probe { net, hash }
    }

    async fn units(&self, script: &[u8]) -> i64 {
        let gate = [&[0; 20], script].concat();
        let argument = [ContractParam::ByteArray(gate)];
        let result = self
            .net
            .rpc()
            .invoke_function(&self.hash, "cost", &argument, &[])
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(result.state, VmState::Halt, "{:?}", result.exception);
        let datoshi = result.stack[0].as_i64().unwrap_or_else(|e| panic!("{e}"));
        (datoshi + UNIT / 2) / UNIT
    }
}

struct Below(PathBuf);

impl neoc::Sources for Below {
    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(path)).ok()
    }
}
