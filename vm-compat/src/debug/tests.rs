#![allow(clippy::unwrap_used)]

use neo_framework::chain::{Chain, Outcome};
use neo_framework::{Hash160, int};
use proptest::prelude::*;

use super::*;
use crate::core::{Visit, ops};
use crate::trace;
use crate::{assemble, validate};

/// A recording of one script run as a gate that is read by a stranger.
fn debugger(text: &str) -> Debugger {
    let script = assemble(text).unwrap();
    validate(&script).unwrap();
    let chain = Chain::new();
    let (owner, caller) = (chain.account("owner").hash, chain.account("caller").hash);
    let item = owner.as_bytes().concat(&Bytes::from(script.as_slice()));
    let (read, none) = (int(ops::STATE_READ), Bytes::from([]));
    let visit = Visit::from_outside(&caller, int(7), &item, read, &none, int(0));
    let (outcome, recording) = trace::record(|| {
        chain.run_as(&[], &Hash160::zero(), || {
            crate::core::run_alone(&item, &visit)
        })
    });
    let Outcome {
        exception, stack, ..
    } = outcome;
    let end = match exception {
        Some(message) => End::Fault(message),
        None => End::Halt(stack.first().cloned().unwrap()),
    };
    Debugger::new(recording, end)
}

/// What a session prints, prompt and all.
fn session(debugger: &mut Debugger, commands: &str) -> String {
    let mut text = debugger.render(Answer::Place);
    for line in commands.split(';') {
        let command = Command::parse(line).unwrap().unwrap();
        let answer = debugger.apply(&command);
        text.push_str(&format!("\n> {}\n{}", line.trim(), debugger.render(answer)));
    }
    text
}

const GUESTS: &str = "STATE own\nJMPIFNOT guests\nOK\nguests: PUSH 2\nPUSH 3\nADD";

#[test]
fn a_session_goes_forward_and_back() {
    let expected = "\
-- box 7, read, asked by 0xcaller
   0  STATE own                    []
> s
   2  JMPIFNOT L5                  [false]
> s
   5  PUSH2                        []
> s
   6  PUSH3                        [2]
> stack
   0  Integer     2
> b
   5  PUSH2                        []
> list
      0             STATE own
      2             JMPIFNOT L5
      4             OK
>     5  L5:        PUSH2
      6             PUSH3
      7             ADD
> break ADD
stops at each ADD
> c
   7  ADD                          [2, 3]
> cost
4 instructions, 4 units, 0 of SOUL's smallest unit
> c
end: HALT, result 5
> s
end: HALT, result 5
> b
   7  ADD                          [2, 3]
> r
-- box 7, read, asked by 0xcaller
   0  STATE own                    []";
    let mut debugger = debugger(GUESTS).with_account_names(|_| "0xcaller".to_owned());
    let commands = "s;s;s;stack;b;list;break ADD;c;cost;c;s;b;r";
    assert_eq!(session(&mut debugger, commands), expected);
}

#[test]
fn a_breakpoint_is_a_label_a_byte_or_a_name() {
    for (place, position) in [("guests", 5), ("L5", 5), ("6", 6), ("ADD", 7)] {
        let labels = crate::label_positions(GUESTS).unwrap();
        let mut debugger = debugger(GUESTS).with_labels(&assemble(GUESTS).unwrap(), labels);
        session(&mut debugger, &format!("break {place};c"));
        assert_eq!(debugger.step().unwrap().position, position, "{place}");
    }
    for place in ["nobody", "L4", "3", "THROW", "100"] {
        let mut debugger = debugger(GUESTS);
        let command = Command::parse(&format!("break {place}")).unwrap().unwrap();
        assert_eq!(debugger.apply(&command), Answer::NowhereToStop, "{place}");
    }
}

#[test]
fn a_fault_is_the_end_and_its_instruction_the_last_step() {
    let mut debugger = debugger("PUSH 1\nPUSH 0\nDIV\nDROP");
    let text = session(&mut debugger, "c;b");
    assert!(text.contains("end: FAULT, "), "{text}");
    assert!(
        text.ends_with("2  DIV                          [1, 0]"),
        "{text}"
    );
    assert_eq!(debugger.recording().runs[0].left, None);
}

#[test]
fn what_a_script_leaves_is_kept() {
    let debugger = debugger("PUSH 1\nPUSH \"a\"");
    let left = debugger.recording().runs[0].left.clone();
    assert_eq!(left, Some(vec![Item::integer(1), Item::bytes(b"a")]));
}

#[test]
fn a_line_that_is_no_command_says_what_to_type() {
    for (line, part) in [
        ("jump", "`help` lists them"),
        ("break", "break where?"),
        ("s s", "takes nothing"),
        ("break 1 2", "takes nothing"),
    ] {
        let error = Command::parse(line).unwrap_err().to_string();
        assert!(error.contains(part), "{line}: {error}");
    }
    assert_eq!(Command::parse("  "), Ok(None));
}

/// A recording of scripts that call each other, as the contract would make it: (script, level) of each step.
fn nested(shape: &[usize]) -> Debugger {
    let script = assemble(&"PUSH1\n".repeat(shape.len().max(1))).unwrap();
    let facts = trace::Facts {
        verb: trace::Verb::Read,
        this: int(1),
        entry: int(1),
        owner: Hash160::zero(),
        author: Hash160::zero(),
        caller: Hash160::zero(),
    };
    let mut recording = Recording::default();
    let mut open: Vec<(usize, usize)> = Vec::new();
    for level in shape {
        let level = (*level).min(open.len());
        open.truncate(level + 1);
        if open.len() == level {
            recording.runs.push(Run {
                script: Bytes::from(script.as_slice()),
                facts: facts.clone(),
                parent: open.last().map(|(run, _)| *run),
                level,
                left: None,
            });
            open.push((recording.runs.len() - 1, 0));
        }
        let (run, position) = open.last_mut().unwrap();
        recording.steps.push(Step {
            run: *run,
            position: *position,
            stack: Vec::new(),
            omitted: 0,
        });
        *position += 1;
    }
    Debugger::new(recording, End::Halt(Item::Null))
}

#[test]
fn over_and_out_pass_by_nested_scripts() {
    let levels = [0, 0, 1, 2, 1, 0, 0];
    let after = |from: usize, command: &Command| {
        let mut debugger = nested(&levels);
        for _ in 0..from {
            debugger.apply(&Command::Step);
        }
        debugger.apply(command);
        debugger.at()
    };
    assert_eq!(after(1, &Command::Step), 2);
    assert_eq!(after(1, &Command::Over), 5);
    assert_eq!(after(2, &Command::Over), 4);
    assert_eq!(after(3, &Command::Out), 4);
    assert_eq!(after(2, &Command::Out), 5);
    assert_eq!(after(0, &Command::Out), 7);
}

fn command() -> impl Strategy<Value = Command> {
    let word = prop_oneof![
        Just("s"),
        Just("b"),
        Just("n"),
        Just("o"),
        Just("c"),
        Just("r"),
        Just("clear"),
        Just("breaks"),
        Just("w"),
        Just("stack"),
        Just("states"),
        Just("l"),
        Just("calls"),
        Just("cost"),
        Just("h"),
        Just("q"),
        Just("break PUSH1"),
        Just("break 2"),
        Just("break x"),
    ];
    word.prop_map(|word| Command::parse(word).unwrap().unwrap())
}

proptest! {
    #[test]
    fn any_commands_keep_the_place_inside_and_back_undoes_a_step(
        shape in prop::collection::vec(0usize..5, 0..30),
        commands in prop::collection::vec(command(), 0..40),
    ) {
        let mut debugger = nested(&shape);
        let count = debugger.recording().steps.len();
        for command in &commands {
            let before = debugger.at();
            let answer = debugger.apply(command);
            let _ = debugger.render(answer);
            prop_assert!(debugger.at() <= count);
            let forward = [Command::Step, Command::Over, Command::Out, Command::Continue];
            if forward.contains(command) {
                prop_assert!(debugger.at() > before || before == count);
            }
            let here = debugger.at();
            debugger.apply(&Command::Step);
            if here < count {
                debugger.apply(&Command::Back);
            }
            prop_assert_eq!(debugger.at(), here);
        }
    }

    #[test]
    fn no_line_makes_the_parser_panic(line in ".{0,40}") {
        let _ = Command::parse(&line);
    }
}
