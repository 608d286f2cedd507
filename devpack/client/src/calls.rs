//! Reads a transaction's script back into the contract calls that it makes.
//!
//! Scripts as wallets and [`crate::ScriptBuilder`] write them: pushes, then `System.Contract.Call`, as often as wanted,
//! each result left, dropped or asserted. What computes is refused, not guessed.

use neo_opcode::{Instruction, Op, Operand, Syscall};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::{ContractParam, Hash160};

/// One call of a contract's method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractCall {
    pub contract: Hash160,
    pub method: String,
    /// What the callee may do, see [`crate::flags`].
    pub call_flags: u8,
    pub params: Vec<ContractParam>,
    /// What the script does with the result.
    pub then: Then,
}

/// What becomes of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is left as a result of the script.
    Keep,
    /// It is thrown away.
    Drop,
    /// The script faults unless it is true.
    Assert,
}

/// Why a script is not a list of calls.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallsError {
    #[error("the script is damaged: {0}")]
    Damaged(String),
    #[error("the script does more than call contracts: {instruction} at byte {position}")]
    Computes {
        position: usize,
        instruction: String,
    },
    #[error("the call at byte {position} has no plain arguments")]
    Arguments { position: usize },
}

/// A value on the script's stack.
enum Value {
    Param(ContractParam),
    /// Result of the call with this index.
    Result(usize),
}

/// The calls of a script, in their order.
pub fn contract_calls(script: &[u8]) -> Result<Vec<ContractCall>, CallsError> {
    let mut stack: Vec<Value> = Vec::new();
    let mut calls: Vec<ContractCall> = Vec::new();
    for instruction in neo_opcode::decode(script) {
        let instruction = instruction.map_err(|error| CallsError::Damaged(error.to_string()))?;
        let computes = || CallsError::Computes {
            position: instruction.position,
            instruction: instruction.to_string(),
        };
        let arguments = || CallsError::Arguments {
            position: instruction.position,
        };
        match instruction.op {
            Op::NOP => {}
            Op::RET => break,
            Op::SYSCALL => {
                let wanted = Syscall::by_name("System.Contract.Call");
                if wanted.is_none_or(|call| call.id != instruction.operand) {
                    return Err(computes());
                }
                calls.push(call(&mut stack).ok_or_else(arguments)?);
                stack.push(Value::Result(calls.len() - 1));
            }
            Op::DROP | Op::ASSERT => match stack.pop() {
                Some(Value::Result(index)) => {
                    let then = match instruction.op {
                        Op::DROP => Then::Drop,
                        _ => Then::Assert,
                    };
                    // Asserted or dropped once: the result is gone then.
                    calls.get_mut(index).ok_or_else(computes)?.then = then;
                }
                Some(Value::Param(_)) | None => return Err(computes()),
            },
            Op::PACK | Op::PACKSTRUCT => {
                let items = pop_list(&mut stack).ok_or_else(arguments)?;
                stack.push(Value::Param(ContractParam::Array(items)));
            }
            Op::PACKMAP => {
                let count = pop_count(&mut stack).ok_or_else(arguments)?;
                let entry = |_| Some((pop(&mut stack)?, pop(&mut stack)?));
                let entries: Option<Vec<_>> = (0..count).map(entry).collect();
                let map = ContractParam::Map(entries.ok_or_else(arguments)?);
                stack.push(Value::Param(map));
            }
            _ => stack.push(Value::Param(pushed(&instruction).ok_or_else(computes)?)),
        }
    }
    Ok(calls)
}

/// The value that an instruction pushes, if it is a constant.
fn pushed(instruction: &Instruction<'_>) -> Option<ContractParam> {
    let byte = instruction.op.byte();
    match instruction.op.info().operand {
        Operand::Data(_) => return Some(ContractParam::ByteArray(instruction.operand.to_vec())),
        Operand::Int(_) if byte <= Op::PUSHINT256.byte() => {
            let number = BigInt::from_signed_bytes_le(instruction.operand);
            return Some(ContractParam::Integer(number));
        }
        _ => {}
    }
    match instruction.op {
        Op::PUSHNULL => Some(ContractParam::Any),
        Op::PUSHT => Some(true.into()),
        Op::PUSHF => Some(false.into()),
        Op::NEWARRAY0 | Op::NEWSTRUCT0 => Some(ContractParam::Array(Vec::new())),
        Op::NEWMAP => Some(ContractParam::Map(Vec::new())),
        _ if (Op::PUSHM1.byte()..=Op::PUSH16.byte()).contains(&byte) => {
            Some((i64::from(byte) - i64::from(Op::PUSH0.byte())).into())
        }
        _ => None,
    }
}

fn call(stack: &mut Vec<Value>) -> Option<ContractCall> {
    let contract = Hash160::from_slice(&pop_bytes(stack)?)?;
    let method = String::from_utf8(pop_bytes(stack)?).ok()?;
    let call_flags = u8::try_from(pop_count(stack)?).ok()?;
    let ContractParam::Array(params) = pop(stack)? else {
        return None;
    };
    Some(ContractCall {
        contract,
        method,
        call_flags,
        params,
        then: Then::Keep,
    })
}

fn pop(stack: &mut Vec<Value>) -> Option<ContractParam> {
    match stack.pop()? {
        Value::Param(param) => Some(param),
        Value::Result(_) => None,
    }
}

fn pop_bytes(stack: &mut Vec<Value>) -> Option<Vec<u8>> {
    match pop(stack)? {
        ContractParam::ByteArray(bytes) => Some(bytes),
        _ => None,
    }
}

fn pop_count(stack: &mut Vec<Value>) -> Option<usize> {
    match pop(stack)? {
        ContractParam::Integer(number) => number.to_usize(),
        _ => None,
    }
}

fn pop_list(stack: &mut Vec<Value>) -> Option<Vec<ContractParam>> {
    let count = pop_count(stack)?;
    // A count above the stack's depth would only fail later.
    let items = (0..count.min(stack.len() + 1)).map(|_| pop(stack));
    items.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ScriptBuilder, flags};

    #[test]
    fn what_the_builder_writes_is_read_back() {
        let map = ContractParam::Map(vec![
            (ContractParam::bytes(*b"k"), 1.into()),
            (2.into(), true.into()),
        ]);
        let params = vec![
            ContractParam::Any,
            (-1).into(),
            300.into(),
            false.into(),
            ContractParam::bytes(vec![7; 300]),
            ContractParam::Array(vec![16.into(), ContractParam::Array(vec![])]),
            map,
        ];
        let mut script = ScriptBuilder::new();
        script.call(&Hash160([3; 20]), "first", flags::ALL, &params);
        script.op(Op::ASSERT);
        script.call(&Hash160([4; 20]), "second", flags::READ_ONLY, &[]);
        script.op(Op::DROP);
        script.call(&Hash160([4; 20]), "third", flags::ALL, &[5.into()]);
        let calls = contract_calls(&script.build().unwrap()).unwrap();
        let told: Vec<_> = calls
            .iter()
            .map(|call| (call.method.as_str(), call.call_flags, call.then))
            .collect();
        assert_eq!(
            told,
            [
                ("first", 15, Then::Assert),
                ("second", 5, Then::Drop),
                ("third", 15, Then::Keep)
            ]
        );
        assert_eq!(calls[0].params, params);
        assert_eq!(calls[0].contract, Hash160([3; 20]));
    }

    #[test]
    fn what_computes_is_refused_with_its_place() {
        let mut script = ScriptBuilder::new();
        script.push(&1.into()).push(&2.into()).op(Op::ADD);
        let error = contract_calls(&script.build().unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the script does more than call contracts: ADD at byte 2"
        );
        let mut script = ScriptBuilder::new();
        script.syscall("System.Runtime.GetTime");
        let error = contract_calls(&script.build().unwrap()).unwrap_err();
        assert!(matches!(error, CallsError::Computes { position: 0, .. }));
        assert!(contract_calls(&[0x41, 0x62]).is_err());
    }

    #[test]
    fn the_result_of_one_call_is_no_plain_argument_of_another() {
        let mut script = ScriptBuilder::new();
        script.call(&Hash160([3; 20]), "first", flags::ALL, &[]);
        script.push(&1.into()).op(Op::PACK);
        let error = contract_calls(&script.build().unwrap()).unwrap_err();
        assert!(matches!(error, CallsError::Arguments { .. }), "{error}");
    }

    proptest! {
        #[test]
        fn no_script_makes_it_panic(script in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = contract_calls(&script);
        }
    }
}
