//! What the sub-VM's interpreter adds to each instruction: the price in the contract less NeoVM's own.

use anyhow::{Context, Result};
use neo_client::{ContractParam, Hash160};
use neo_opcode::Op;
use phantasma_vm::{Flow, Instr, Operand, TABLE};

use super::chain::{Chain, FEE_FACTOR};
use super::contract::{Bench, UNITS};
use super::report::{Verdict, median};
use super::{Artifact, ours};
use crate::paths;

/// Price units an instruction, in the middle of the instruction set.
const MAX_MEDIAN: f64 = 75.0;

const SOURCE: &str = "benches/contract/ours/interpreter.rs";
const VM: (&str, &str) = ("phantasma_vm", "vm-compat/src/lib.rs");

/// Longest script that the interpreter takes as one number, together with its author.
const WORD_SCRIPT: usize = 12;

/// Makes a script longer than that.
const LONG: &[u8] = &{
    let mut bytes = [Op::PUSH1.byte(); WORD_SCRIPT];
    let mut at = 1;
    while at < bytes.len() {
        bytes[at] = Op::DROP.byte();
        at += 2;
    }
    bytes
};

pub(super) async fn measure(bench: &mut Bench) -> Result<()> {
    let compiled = compile()?;
    let contract = bench.chain.deploy(&compiled, ContractParam::Any).await?;
    for (case, long) in [
        ("interpreter, up to 12 bytes", false),
        ("interpreter, longer scripts", true),
    ] {
        let all = overheads(&bench.chain, &contract.hash, long).await?;
        let middle = median(all.iter().copied()).context("there are instructions")?;
        bench
            .report
            .push(case, "overhead", UNITS, middle, None, None);
        bench.report.summary.push(Verdict {
            text: format!(
                "{case}: {middle:.0} units more an instruction, median over {}, at most {MAX_MEDIAN}",
                all.len()
            ),
            met: middle <= MAX_MEDIAN,
        });
    }
    Ok(())
}

fn compile() -> Result<Artifact> {
    ours::compile_with(paths::workspace(), SOURCE, &[VM])
}

/// What the interpreter adds, in price units, to each instruction that NeoVM has too and that does not end the script:
/// it is run with and without it. Of the short scripts only those that stay short with it.
async fn overheads(chain: &Chain, contract: &Hash160, long: bool) -> Result<Vec<f64>> {
    let before = if long { LONG } else { &[] };
    let mut list = Vec::new();
    for row in TABLE {
        let native = Op::from_byte(row.byte).filter(|op| op.mnemonic() == row.mnemonic);
        let (Some(native), Flow::Next | Flow::Branch | Flow::Jump) = (native, row.flow) else {
            continue;
        };
        let start = [before, operands(row)].concat();
        let with = [start.as_slice(), &instruction(row)].concat();
        if !long && with.len() > WORD_SCRIPT {
            continue;
        }
        let price = cost(chain, contract, &with).await? - cost(chain, contract, &start).await?;
        list.push((price / FEE_FACTOR) as f64 - f64::from(native.info().price));
    }
    Ok(list)
}

async fn cost(chain: &Chain, contract: &Hash160, script: &[u8]) -> Result<i64> {
    let gate = [&[0; 20], script].concat();
    Ok(chain.call(contract, "run", &[gate.into()]).await?.method)
}

/// Four small numbers, as most instructions can take them; none for those that take nothing.
fn operands(row: &Instr) -> &'static [u8] {
    const ONE: u8 = Op::PUSH1.byte();
    const ONES: &[u8] = &[ONE; 4];
    // One byte from 0 on.
    const PART: &[u8] = &[ONE, ONE, Op::PUSH0.byte(), ONE];
    match row.mnemonic {
        "SUBSTR" => PART,
        _ if row.pops == 0 => &[],
        _ => ONES,
    }
}

/// The instruction with an operand that works: numbers of ones, data of one byte, jumps to what follows.
fn instruction(row: &Instr) -> Vec<u8> {
    let mut code = vec![row.byte];
    match row.operand {
        Operand::Int(size) => code.resize(1 + size, 1),
        Operand::Data(size) => {
            code.push(1);
            code.resize(1 + size, 0);
            code.push(0x61);
        }
        Operand::Offset => code.push(2),
        // None of these is NeoVM's.
        Operand::None | Operand::State | Operand::Id | Operand::Locator | Operand::Blocks => {}
    }
    code
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use phantasma_vm::validate;

    #[test]
    fn what_is_measured_are_valid_scripts() {
        let mut count = 0;
        for row in TABLE
            .iter()
            .filter(|r| !r.host && Op::from_byte(r.byte).is_some())
        {
            let script = [operands(row), &instruction(row), &[Op::RET.byte()]].concat();
            validate(&script).unwrap_or_else(|e| unreachable!("{}: {e}", row.mnemonic));
            count += 1;
        }
        assert!(count > 60, "{count}");
    }
}
