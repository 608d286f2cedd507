//! What each ready gate lets in, as owner, member and stranger, early and late, paid and not, and what it says of itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/door.rs"]
mod door;

use door::*;
use phantasma_vm::*;

#[track_caller]
fn says(gate: &Gate, bytes: usize, english: &str) -> Vec<u8> {
    let script = gate.script().unwrap();
    assert_eq!(explain_gate(&script).unwrap().to_string(), english);
    assert_eq!(script.len(), bytes, "{}", disassemble(&script).unwrap());
    script
}

fn free() -> Option<Done> {
    Some(Done::default())
}

fn paid(price: u64) -> Option<Done> {
    Some(Done {
        paid: vec![price],
        included: false,
    })
}

#[test]
fn free_for_everybody() {
    let script = says(&Gate::Free, 1, "Anybody may read and write.");
    assert_eq!(script, free_gate());
    assert_eq!(enter(&script, &stranger()), free());
    says(&Gate::Nobody, 1, "Nobody comes in.");
    assert_eq!(enter(&Gate::Nobody.script().unwrap(), &stranger()), None);
}

#[test]
fn owner_only() {
    let script = says(&Gate::Owner, 2, "Only the owner may read and write.");
    assert_eq!(script, owner_gate());
    assert_eq!(enter(&script, &stranger()), None);
    assert_eq!(
        enter(
            &script,
            &Facts {
                owner: true,
                ..stranger()
            }
        ),
        free()
    );
}

#[test]
fn owner_writes_everybody_reads() {
    let english = "The owner may read and write. Anybody else may read.";
    let script = says(&Gate::owner_writes(), 5, english);
    assert_eq!(script, owner_writes_gate());
    let writing = Facts {
        verb: Verb::Write,
        ..stranger()
    };
    assert_eq!(enter(&script, &stranger()), free());
    assert_eq!(
        enter(
            &script,
            &Facts {
                verb: Verb::Inspect,
                ..stranger()
            }
        ),
        free()
    );
    assert_eq!(enter(&script, &writing), None);
    assert_eq!(
        enter(
            &script,
            &Facts {
                owner: true,
                ..writing
            }
        ),
        free()
    );
}

#[test]
fn members_of_the_box() {
    let english = "Only the owner and members may read and write.";
    let script = says(&Gate::members(), 7, english);
    assert_eq!(enter(&script, &stranger()), None);
    assert_eq!(
        enter(
            &script,
            &Facts {
                member: true,
                ..stranger()
            }
        ),
        free()
    );
    assert_eq!(
        enter(
            &script,
            &Facts {
                owner: true,
                ..stranger()
            }
        ),
        free()
    );
}

#[test]
fn accounts_of_a_list() {
    let gate = Gate::allow_list(vec![account(1), account(2), account(3)]);
    let name = |n: u8| format!("the account 0x{}", format!("{n:02x}").repeat(20));
    let english = format!(
        "Only the owner, {}, {} and {} may read and write.",
        name(1),
        name(2),
        name(3)
    );
    let script = says(&gate, 2 + 76 + 1, &english);
    for (n, open) in [(1, true), (2, true), (3, true), (4, false)] {
        let facts = Facts {
            caller: account(n),
            ..stranger()
        };
        assert_eq!(enter(&script, &facts).is_some(), open, "{n}");
    }
    assert_eq!(
        enter(
            &script,
            &Facts {
                owner: true,
                ..stranger()
            }
        ),
        free()
    );
}

#[test]
fn pay_once() {
    let english = "The owner and members may read and write. \
        Anybody else pays 5 SOUL to the box once, is a member from then on, and may read and write.";
    let script = says(&Gate::pay_once(5 * SOUL), 19, english);
    let bought = Some(Done {
        paid: vec![5 * SOUL],
        included: true,
    });
    assert_eq!(enter(&script, &stranger()), bought);
    assert_eq!(
        enter(
            &script,
            &Facts {
                member: true,
                ..stranger()
            }
        ),
        free()
    );
    assert_eq!(
        enter(
            &script,
            &Facts {
                owner: true,
                ..stranger()
            }
        ),
        free()
    );
}

#[test]
fn subscription() {
    let english = "The owner and who paid the box less than 30 days ago may read and write. \
        Anybody else pays 2.5 SOUL to the box for each access.";
    let script = says(
        &Gate::subscription(2 * SOUL + SOUL / 2, 30 * DAY),
        22,
        english,
    );
    let after = |paid_ago| {
        enter(
            &script,
            &Facts {
                paid_ago,
                ..stranger()
            },
        )
    };
    assert_eq!(after(0), free());
    assert_eq!(after(30 * DAY - 1), free());
    assert_eq!(after(30 * DAY), paid(250_000_000));
    assert_eq!(enter(&script, &stranger()), paid(250_000_000));
    assert_eq!(
        enter(
            &script,
            &Facts {
                owner: true,
                ..stranger()
            }
        ),
        free()
    );
}

#[test]
fn time_window() {
    let english = "The owner may read and write. Anybody else may read and write \
        from 2027-01-15 08:00:00 UTC on and before 2027-01-16 08:00:00 UTC.";
    let script = says(&Gate::time_window(NOW, NOW + DAY), 16, english);
    let at = |time| enter(&script, &Facts { time, ..stranger() });
    assert_eq!(at(NOW - 1), None);
    assert_eq!(at(NOW), free());
    assert_eq!(at(NOW + DAY - 1), free());
    assert_eq!(at(NOW + DAY), None);
    let owner = Facts {
        owner: true,
        time: 0,
        ..stranger()
    };
    assert_eq!(enter(&script, &owner), free());
    says(
        &Gate::From(NOW),
        8,
        "Anybody may read and write from 2027-01-15 08:00:00 UTC on.",
    );
    says(
        &Gate::Until(NOW),
        8,
        "Anybody may read and write before 2027-01-15 08:00:00 UTC.",
    );
}

#[test]
fn priced_read() {
    let english =
        "The owner may read and write. Anybody else pays 5 SOUL to the box for each read.";
    let script = says(&Gate::priced_read(5 * SOUL), 17, english);
    let writing = Facts {
        verb: Verb::Write,
        ..stranger()
    };
    assert_eq!(enter(&script, &stranger()), paid(5 * SOUL));
    assert_eq!(
        enter(
            &script,
            &Facts {
                verb: Verb::Inspect,
                ..stranger()
            }
        ),
        paid(5 * SOUL)
    );
    assert_eq!(enter(&script, &writing), None);
    assert_eq!(
        enter(
            &script,
            &Facts {
                owner: true,
                ..writing
            }
        ),
        free()
    );
    assert_eq!(
        enter(
            &script,
            &Facts {
                owner: true,
                ..stranger()
            }
        ),
        free()
    );
}

#[test]
fn priced_write() {
    let english = "The owner may read and write. Anybody else may read. \
        Anybody else pays 0.00000001 SOUL to the box for each write.";
    let script = says(&Gate::priced_write(1), 11, english);
    assert_eq!(enter(&script, &stranger()), free());
    let writing = Facts {
        verb: Verb::Write,
        ..stranger()
    };
    assert_eq!(enter(&script, &writing), paid(1));
    assert_eq!(
        enter(
            &script,
            &Facts {
                owner: true,
                ..writing
            }
        ),
        free()
    );
}

#[test]
fn gates_that_make_no_sense_are_refused() {
    let refused = |gate: Gate, why: GateError| assert_eq!(gate.script(), Err(why));
    refused(!Gate::PayOnce(1), GateError::NegatedCharge);
    refused(
        !(Gate::Owner & Gate::priced_read(1)),
        GateError::NegatedCharge,
    );
    refused(
        Gate::Pay(1) & (Gate::Owner | Gate::Pay(2)),
        GateError::TwoCharges,
    );
    refused(Gate::Between(5, 5), GateError::EmptyWindow(5, 5));
    let many = Gate::Accounts((0..200).map(account).collect());
    refused(
        many,
        GateError::TooLong {
            bytes: 2 + 200 * 24 + 199,
        },
    );
}

#[track_caller]
fn gate_says(text: &str, english: &str) {
    let script = assemble(text).unwrap();
    assert_eq!(explain_gate(&script).unwrap().to_string(), english);
}

#[track_caller]
fn content_says(text: &str, english: &str) {
    let script = assemble(text).unwrap();
    assert_eq!(explain_content(&script).unwrap().to_string(), english);
}

#[test]
fn other_gates_are_told_as_conditions() {
    gate_says(
        "STATE this\nCOUNT\nPUSH 10\nLT",
        "Anybody may read and write if not (the number of contents of this box >= 10).",
    );
    gate_says(
        "STATE read\nJMPIFNOT no\nSTATE member\nJMPIFNOT no\nPUSH 2\nRET\nno: STATE own",
        "Members may read, but not ask what reading costs; who reads may take the content off. \
         Otherwise, the owner may read and write. Nobody else comes in.",
    );
    gate_says(
        "PUSH 1\nPUSH 0\nDIV\nDROP\nPUSHT",
        "Anybody may read and write.\n\
         Where a value is of the wrong kind, too large or missing, the whole access fails.",
    );
    gate_says(
        "STATE own\nJMPIFNOT no\nOK\nno: PUSH \"closed\"\nTHROW",
        "Only the owner may read and write.",
    );
    gate_says(
        "STATE timestamp\nPUSH 7\nMOD",
        "Lets the caller in if (the time modulo 7) counts as true, and who reads may take the content off if it is 2.\n\
         Where a value is of the wrong kind, too large or missing, the whole access fails.",
    );
}

#[test]
fn contents_are_told_way_by_way() {
    content_says("PUSH \"hello\"", "Gives the text \"hello\".");
    content_says("PUSH 0x00ff", "Gives the 2 bytes 0x00ff.");
    content_says(
        "STATE own\nJMPIFNOT other\nPUSH 1\nRET\nother: PUSH 300000000\nPAY\nPUSH \"key\"\nREAD",
        "One of these happens:\n\
         1. If the caller is the owner: gives 1.\n\
         2. If the caller is not the owner: 3 SOUL are paid to the box; gives what the box keeps under the text \"key\".",
    );
}

#[test]
fn what_has_no_words_is_told_line_by_line() {
    content_says(
        "STATE timestamp\nPICK",
        "Step by step:\n    STATE timestamp                push one fact about this invocation\n    \
         PICK                           pop n, copy the item n below the top",
    );
}
