//! The sub-VM: its instructions, scripts that are taken, scripts that are refused and why, plain data.

use neo_framework::chain::Chain;
use neo_framework::{Bytes, Hash160};
use phantasma_vm::core::check;
use phantasma_vm::{
    Flow, Instr, Operand, STATES, TABLE, assemble, data_script, disassemble, steps, validate,
};
use serde_json::{Value, json};

/// Scripts that are taken: name, text.
const TAKEN: &[(&str, &str)] = &[
    (
        "numbers",
        "PUSH -1\nPUSH 16\nPUSH 17\nPUSH -129\nPUSH 5_00000000\nPUSH 170141183460469231731687303715884105727",
    ),
    (
        "arithmetic",
        "PUSH 7\nPUSH 3\nADD\nPUSH 2\nMUL\nPUSH 6\nDIV",
    ),
    ("text", "PUSH \"hello\"\nPUSH 0x0aff\nCAT\nSIZE"),
    (
        "stack",
        "PUSH 1\nDUP\nOVER\nSWAP\nPUSH 2\nPICK\nROT\nREVERSE3\nNIP\nTUCK\nDROP",
    ),
    (
        "a branch",
        "PUSH true\nJMPIFNOT no\nPUSH 1\nRET\nno: PUSH 2",
    ),
    ("an input that a caller gives", "PUSH 0\nPICK"),
    ("a gate for its owner", "STATE own"),
    ("a price", "PUSH 5_00000000\nPAY\nOK"),
    (
        "the owner at once, others later",
        "STATE own\nJMPIFNOT guests\nOK\nguests: STATE timestamp\nPUSH 1800000000\nGE",
    ),
    ("a hash", "PUSH \"secret\"\nSHA256"),
    ("another box", "PUSH 1\nPUSH 0\nPUSH 0\nCALL"),
    (
        "stored content",
        "LINK 0x1111111111111111111111111111111111111111111111111111111111111111\nCSIZE",
    ),
    (
        "registered content",
        "ALLOC 300000 0x2222222222222222222222222222222222222222222222222222222222222222 0x3333333333333333333333333333333333333333333333333333333333333333",
    ),
    ("content elsewhere", "ELNK 3 \"Qm1\""),
    (
        "what a box remembers",
        "PUSH \"key\"\nPUSH 9\nWRITE\nPUSH \"key\"\nREAD",
    ),
];

/// Scripts that are refused, as bytes.
const REFUSED: &[(&str, &str)] = &[
    ("no instruction", ""),
    ("a byte that NeoVM has and the sub-VM has not", "0b"),
    ("SYSCALL", "4100000000"),
    ("a number that is cut off", "0100"),
    ("text that is cut off", "0c056162"),
    ("ALLOC of no bytes", "fa0000000000000000"),
    ("ELNK to nowhere", "fc00"),
    (
        "ALLOC that is not first",
        "08fa01000000000000001111111111111111111111111111111111111111111111111111111111111111",
    ),
    ("a state that does not exist", "ea0b"),
    ("a jump to itself", "2200"),
    ("a jump back", "0822ff"),
    ("a jump into an instruction", "220408000840"),
    ("a jump past the end", "2205"),
    ("too few items", "119e"),
    ("too few items on one way", "08260411119e"),
    ("PICK of nothing", "4d"),
];

/// One byte of length up to 255, two from there on.
const DATA_SIZES: [usize; 5] = [0, 1, 255, 256, 1000];

const PUSH1: u8 = 0x11;
const DROP: u8 = 0x45;
const STATE: u8 = 0xEA;

pub(super) fn made() -> Value {
    let taken = TAKEN.iter().map(|(name, text)| {
        let script = assemble(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        script_of(name, Some(text), &script)
    });
    let refused = REFUSED
        .iter()
        .map(|(name, bytes)| script_of(name, None, &hex::decode(bytes).expect("hex digits")));
    let long = vec![0x08; 1025];
    let many = [script_of("one instruction too many", None, &long)];
    let rows = TABLE.iter().flat_map(around);
    let each_state = STATES
        .iter()
        .map(|(byte, name, _)| (*name, vec![STATE, *byte]));
    let states = each_state.map(|(name, script)| script_of(name, Some(""), &script));
    let scripts: Vec<Value> = taken
        .chain(refused)
        .chain(many)
        .chain(rows)
        .chain(states)
        .collect();
    let states: Vec<Value> = STATES
        .iter()
        .map(|(byte, name, _)| json!({ "byte": byte, "name": name }))
        .collect();
    json!({
        "instructions": TABLE.iter().map(instruction).collect::<Vec<_>>(),
        "states": states,
        "scripts": scripts,
        "data": DATA_SIZES.map(data),
    })
}

/// What an instruction takes and leaves: with as many items as it needs and one fewer, and with as many items taken off
/// afterwards as it left and one more.
fn around(row: &Instr) -> Vec<Value> {
    let fixed = row.operand.fixed_size();
    let operand = match row.operand {
        Operand::Data(_) | Operand::Locator => {
            let mut operand = vec![0; fixed];
            operand[0] = 1;
            [operand, vec![0xAB]].concat()
        }
        Operand::Blocks => [&1_u64.to_le_bytes()[..], &[0x22; 32]].concat(),
        Operand::Offset => vec![2],
        Operand::None | Operand::Int(_) | Operand::State | Operand::Id => vec![1; fixed],
    };
    let script = |pushed: usize, dropped: usize| {
        let instruction = [vec![row.byte], operand.clone()].concat();
        [vec![PUSH1; pushed], instruction, vec![DROP; dropped]].concat()
    };
    let pops = usize::from(row.pops);
    let left = row.depth_after(pops).expect("as many items as it needs");
    let mut cases = vec![
        ("exact", script(pops, left)),
        ("one more taken off", script(pops, left + 1)),
    ];
    if pops > 0 {
        cases.push(("one too few", script(pops - 1, 0)));
    }
    let told = |(what, script): (&str, Vec<u8>)| {
        let name = format!("{}: {what}", row.mnemonic);
        script_of(&name, validate(&script).is_ok().then_some(""), &script)
    };
    cases.into_iter().map(told).collect()
}

fn instruction(row: &Instr) -> Value {
    let (operand, bytes) = match row.operand {
        Operand::None => ("none", 0),
        Operand::Int(size) => ("number", size),
        Operand::Data(size) => ("data", size),
        Operand::Offset => ("distance", 1),
        Operand::State => ("state", 1),
        Operand::Id => ("id", 32),
        Operand::Locator => ("locator", 1),
        Operand::Blocks => ("blocks", 8),
    };
    let flow = match row.flow {
        Flow::Next => "next",
        Flow::Branch => "branch",
        Flow::Jump => "jump",
        Flow::Stop | Flow::Fault => "end",
    };
    json!({
        "byte": row.byte,
        "name": row.mnemonic,
        "neovm": row.neo().is_some(),
        "operand": operand,
        "operand_bytes": bytes,
        "pops": row.pops,
        "pushes": row.pushes,
        "flow": flow,
    })
}

/// What the contract's own check says, in its own words; null when it takes the script.
fn refusal(script: &[u8]) -> Option<String> {
    let bytes = Bytes::from(script);
    let outcome = Chain::new().run_as(&[], &Hash160::zero(), || check(&bytes));
    assert_eq!(outcome.exception.is_none(), validate(script).is_ok());
    outcome.exception
}

/// `text` is there for what must be taken; an empty one stands for the text that the bytes disassemble to.
fn script_of(name: &str, text: Option<&str>, script: &[u8]) -> Value {
    let refused = refusal(script);
    assert_eq!(refused.is_none(), text.is_some(), "{name}: {refused:?}");
    let steps: Vec<_> = steps(script).map_while(Result::ok).collect();
    let instructions: Vec<Value> = steps
        .iter()
        .map(|step| {
            json!({
                "at": step.position,
                "name": step.instr.mnemonic,
                "operand": hex::encode(step.operand),
            })
        })
        .collect();
    let neovm = refused.is_none() && steps.iter().all(|step| step.instr.neo().is_some());
    let mut told = json!({
        "name": name,
        "bytes": hex::encode(script),
        "valid": refused.is_none(),
        "refused": refused,
        "neovm": neovm,
    });
    if let Some(text) = text {
        let disassembled = disassemble(script).expect("a script that is taken");
        let text = if text.is_empty() { &disassembled } else { text };
        assert_eq!(assemble(text).as_deref(), Ok(script), "{name}");
        told["text"] = json!(text);
        told["instructions"] = json!(instructions);
    }
    told
}

fn data(size: usize) -> Value {
    let data = super::pattern(size);
    let script = data_script(&data).expect("data that is not too long");
    json!({ "data": hex::encode(data), "bytes": hex::encode(script) })
}
