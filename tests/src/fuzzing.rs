//! What a fuzzer calls with its input. Each function panics when it finds something, and only then.
//!
//! `fuzz/` runs them under cargo-fuzz for as long as one likes; the ordinary tests give each a few thousand inputs.

use std::collections::BTreeMap;

use neo_framework::chain::{Chain, Item};
use neo_framework::{Bytes, Hash160};
use phantasma_vm::core::check;
use phantasma_vm::{TABLE, assemble, disassemble, steps, validate};

use crate::torture::random::Random;
use crate::torture::scripts::{script_of, stored};
use crate::torture::vm_contract::methods;

/// A method that leaves something on the stack, or takes what is not its own, has done what no script may.
const NEVER: &[&str] = &[
    "left",
    "unknown instruction",
    "overflowed",
    "unwrap",
    "panicked",
];

/// Any bytes as a script: both checkers say the same, the text form gives the same bytes again, and what is accepted
/// runs to an end. What is accepted and uses NeoVM's instructions alone is a script to NeoVM too.
pub fn vm_script(script: &[u8]) {
    let accepted = validate(script).is_ok();
    let chain = Chain::new();
    let bytes = Bytes::from(script);
    let outcome = chain.run_as(&[], &Hash160::zero(), || check(&bytes));
    assert_eq!(outcome.is_halt(), accepted, "{:?}", outcome.exception);
    if let Some(message) = &outcome.exception {
        assert!(message.starts_with("script: "), "{message}");
    }
    if let Ok(text) = disassemble(script)
        && accepted
    {
        let again = assemble(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(again, script, "{text}");
    }
    if !accepted {
        return;
    }
    neo_takes(script);
    let contract = Hash160::zero();
    chain.register(&contract, methods::CONTRACT);
    let outcome = chain.invoke(
        &[],
        &contract,
        "stackAfter",
        vec![Item::bytes(&stored(script))],
    );
    let message = outcome.exception.unwrap_or_default();
    let bad = NEVER.iter().find(|words| message.contains(*words));
    assert!(bad.is_none(), "{message}");
}

/// A script of NeoVM's instructions decodes as NeoVM decodes it, instruction by instruction.
fn neo_takes(script: &[u8]) {
    let ours: Vec<_> = steps(script)
        .map(|step| step.expect("an accepted script decodes"))
        .collect();
    if ours.iter().any(|step| step.instr.neo().is_none()) {
        return;
    }
    let neo: Result<Vec<_>, _> = neo_opcode::decode(script).collect();
    let neo = neo.unwrap_or_else(|e| panic!("NeoVM does not decode it: {e}"));
    assert_eq!(ours.len(), neo.len());
    for (ours, neo) in ours.iter().zip(&neo) {
        assert_eq!(ours.position, neo.position);
        assert_eq!(ours.operand, neo.operand);
        assert_eq!(ours.instr.byte, neo.op.byte());
        let target = ours.target().and_then(|at| usize::try_from(at).ok());
        if let Some(target) = target {
            assert!(neo_starts(script, target), "a jump to {target}");
        }
    }
}

fn neo_starts(script: &[u8], position: usize) -> bool {
    neo_opcode::decode(script).any(|one| one.is_ok_and(|one| one.position == position))
}

/// Any text through the assembler: an error or bytes, and of the bytes the disassembler makes the same again.
pub fn asm_text(text: &str) {
    let Ok(script) = assemble(text) else {
        return;
    };
    let shown = disassemble(&script).unwrap_or_else(|e| panic!("{text}: {e}"));
    let again = assemble(&shown).unwrap_or_else(|e| panic!("{shown}: {e}"));
    assert_eq!(again, script, "{shown}");
}

/// Any text through the compiler: errors or a contract whose script NeoVM decodes, never a panic.
pub fn compiler_source(source: &str) {
    let files = BTreeMap::from([("lib.rs".to_owned(), source.to_owned())]);
    match neoc::compile(&files, "lib.rs", &[]) {
        Ok(contract) => {
            let bad = neo_opcode::decode(&contract.script).find_map(Result::err);
            assert!(bad.is_none(), "{bad:?} in the script of\n{source}");
        }
        Err(errors) => {
            assert!(
                !errors.list.is_empty(),
                "refused without a reason:\n{source}"
            );
            // Its text is made from places in the source, which must be there.
            let _ = errors.to_string();
        }
    }
}

/// Words that mean something to the compiler, and everything between them.
const TOKENS: &[&str] = &[
    "fn",
    "pub",
    "let",
    "mut",
    "if",
    "else",
    "match",
    "while",
    "loop",
    "for",
    "in",
    "break",
    "continue",
    "return",
    "struct",
    "enum",
    "impl",
    "const",
    "use",
    "mod",
    "self",
    "Self",
    "true",
    "false",
    "as",
    "i64",
    "bool",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "::",
    ":",
    ";",
    ",",
    ".",
    "=",
    "==",
    "+",
    "-",
    "*",
    "/",
    "%",
    "&",
    "&&",
    "|",
    "||",
    "!",
    "?",
    "->",
    "=>",
    "..",
    "..=",
    "_",
    "'a",
    "#[method]",
    "#[method(safe)]",
    "#[event(name = \"E\")]",
    "#[derive(Clone, Item)]",
    "Int",
    "Bytes",
    "Text",
    "Any",
    "Array",
    "Map",
    "Option",
    "Some",
    "None",
    "int(1)",
    "bytes(b\"a\")",
    "text(\"a\")",
    "array![",
    "assert!(",
    "panic!(\"no\")",
    "storage::get",
    "storage::put",
    "eval::push",
    "eval::pop()",
    "runtime::time()",
    "x",
    "y",
    "f",
    "S",
    "E",
    "0",
    "1",
    "-1",
    "99999999999999999999",
    "b\"ab\"",
    "\"ab\"",
    ".get(",
    ".push(",
    ".clone()",
    ".small()",
    ".as_slice()",
    ".unwrap()",
    "range(",
    "&mut",
];

/// Token soup: a contract whose method is made of the tokens that the bytes choose.
pub fn source_of(choices: &[u8]) -> String {
    let words: Vec<&str> = choices
        .iter()
        .map(|byte| TOKENS[usize::from(*byte) % TOKENS.len()])
        .collect();
    format!(
        "#[neo_framework::contract(name = \"F\")]\npub mod methods {{\nuse neo_framework::prelude::*;\n\
         #[derive(Clone, Item)]\npub struct S {{ x: Int, y: Bytes }}\n\
         fn f(x: Int, y: &mut Array<Int>) -> Option<Int> {{ Some(x) }}\n\
         #[method]\npub fn m(x: Int, y: Bytes) -> Int {{\n{}\n}}\n}}\n",
        words.join(" ")
    )
}

/// A script that is close to a good one: of whole instructions, some of them damaged.
pub fn near_script(random: &mut Random) -> Vec<u8> {
    let mut script = script_of(random, TABLE, 30);
    for _ in 0..random.below(3) {
        let at = random.below(script.len());
        match random.below(3) {
            0 => script[at] = random.next_u64() as u8,
            1 => drop(script.remove(at)),
            _ => script.insert(at, random.next_u64() as u8),
        }
        if script.is_empty() {
            break;
        }
    }
    script
}

/// Text that is close to a good one: a script's, some of its characters changed.
pub fn near_text(random: &mut Random) -> String {
    let script = script_of(random, TABLE, 20);
    let mut text: Vec<char> = disassemble(&script).unwrap_or_default().chars().collect();
    let others: Vec<char> = "0x9-+\";: \n\tAZaz_é\u{1F600}".chars().collect();
    for _ in 0..random.below(4) {
        let at = random.below(text.len().max(1)).min(text.len());
        match random.below(3) {
            0 => text.insert(at, random.pick(&others)),
            1 if at < text.len() => drop(text.remove(at)),
            _ => text.truncate(at),
        }
    }
    text.into_iter().collect()
}
