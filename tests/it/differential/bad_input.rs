//! Each kind of bad input, on the node: the contract says what is wrong, and nothing changes.

use neo_client::Hash160;

use super::calls::{Call, Generator};
use super::items::Arg;
use super::sides::Sides;

/// Signs everything here, and owns the one box; the supply's owner.
const OWNER: usize = 0;
/// Somebody else.
const ALICE: usize = 1;

fn call(method: &'static str, args: Vec<Arg>) -> Call {
    Call {
        signer: OWNER,
        method,
        args,
    }
}

fn bytes(data: &[u8]) -> Arg {
    Arg::Bytes(data.to_vec())
}

/// Every bad call with what it must fault with; None is for `false` instead of a fault.
fn bad_calls(of: &Generator) -> Vec<(Call, Option<&'static str>)> {
    let (owner, alice) = (of.account(OWNER), of.account(ALICE));
    let gate = bytes(&[0x08]);
    let create = |owner: &Arg, name: &[u8], key: usize, gate: &Arg| {
        call(
            "createBox",
            vec![owner.clone(), bytes(name), of.key(key), gate.clone()],
        )
    };
    let named = |name: &[u8]| create(&owner, name, OWNER, &gate);
    let gated = |gate: &[u8]| create(&owner, b"other", OWNER, &bytes(gate));
    let transfer = |from: &Arg, to: &Arg, amount: i128| {
        call(
            "transfer",
            vec![from.clone(), to.clone(), Arg::Int(amount), Arg::Null],
        )
    };
    let write = |caller: &Arg, id: i128, script: &[u8]| {
        call(
            "writeContent",
            vec![caller.clone(), Arg::Int(id), bytes(script), Arg::Int(0)],
        )
    };
    let content = |root: usize, size: i128, max: i128| {
        let numbers = [size, 0, 0, 1, max].map(Arg::Int);
        call(
            "createContent",
            [vec![owner.clone(), bytes(&vec![1; root])], numbers.to_vec()].concat(),
        )
    };
    let name = "createBox: name must be 1-32 characters of a-z 0-9 _";
    vec![
        (named(b""), Some(name)),
        (named(b"A"), Some(name)),
        (named("\u{e9}".as_bytes()), Some(name)),
        (named(&[b'a'; 33]), Some(name)),
        (named(b"taken"), Some("createBox: name is taken")),
        (
            create(&alice, b"other", ALICE, &gate),
            Some("createBox: no witness of the owner"),
        ),
        (
            create(&owner, b"other", ALICE, &gate),
            Some("createBox: publicKey is not the owner's"),
        ),
        (gated(&[]), Some("script: empty or too long")),
        (gated(&[0x0C, 5, 1]), Some("script: truncated operand")),
        (gated(&[0x11, 0x22, 0xFF]), Some("script: backward jump")),
        (
            gated(&[0x22, 3, 0x0C, 1, 0x41]),
            Some("script: jump into an instruction or past the end"),
        ),
        (gated(&[0x21]), Some("script: unknown instruction")),
        (gated(&[0x9E]), Some("script: stack underflow")),
        (gated(&[0xEA, 11]), Some("script: unknown state")),
        (
            transfer(&owner, &alice, -1),
            Some("transfer: negative amount"),
        ),
        (transfer(&owner, &bytes(&[1; 19]), 1), Some("to: 20 bytes")),
        (transfer(&owner, &alice, 1 << 100), None),
        (transfer(&alice, &owner, 1), None),
        (write(&owner, 2, &[0x11]), Some("no such box")),
        (write(&owner, 0, &[0x11]), Some("no such box")),
        (write(&owner, (1 << 32) + 1, &[0x11]), Some("no such box")),
        (write(&alice, 1, &[0x11]), Some("no witness of the caller")),
        (
            write(&owner, 1, &[0x0C, 5, 1]),
            Some("script: truncated operand"),
        ),
        (write(&owner, 1, &[0x22, 0]), Some("script: backward jump")),
        (
            call("contentAt", vec![Arg::Int(1), Arg::Int(0)]),
            Some("no such content"),
        ),
        (content(31, 1, 1 << 70), Some("root must be 32 bytes")),
        (
            content(32, 0, 1 << 70),
            Some("size must be 1 byte to 1 TiB"),
        ),
        (content(32, 1, 1), Some("the fee is above maxPayment")),
    ]
    .into_iter()
    .chain(bad_calls_of_a_box(of))
    .collect()
}

/// The same for what is done with a box that is there and empty.
fn bad_calls_of_a_box(of: &Generator) -> Vec<(Call, Option<&'static str>)> {
    let (owner, alice) = (of.account(OWNER), of.account(ALICE));
    let one = Arg::Int(1);
    let revise = "no content, not yours, or the gate refuses";
    let caller = "no witness of the caller";
    let calls: [(&'static str, Vec<Arg>, &'static str); 14] = [
        (
            "readContent",
            vec![owner.clone(), one.clone(), one.clone()],
            "no such content",
        ),
        (
            "readContent",
            vec![alice.clone(), one.clone(), one.clone()],
            caller,
        ),
        (
            "readContent",
            vec![owner.clone(), one.clone(), Arg::Int(-1)],
            "negative maxPayment",
        ),
        (
            "readContent",
            vec![owner.clone(), Arg::Int(0), one.clone()],
            "no such box",
        ),
        (
            "inspectContent",
            vec![owner.clone(), one.clone()],
            "no such content",
        ),
        ("deleteContent", vec![owner.clone(), one.clone()], revise),
        ("deleteContent", vec![alice.clone(), one.clone()], caller),
        (
            "replaceContent",
            vec![owner.clone(), one.clone(), bytes(&[0x11]), one.clone()],
            revise,
        ),
        (
            "callContent",
            vec![
                owner.clone(),
                one.clone(),
                Arg::Int(0),
                Arg::List(vec![]),
                one.clone(),
            ],
            "no such content",
        ),
        (
            "replaceGate",
            vec![one.clone(), bytes(&[])],
            "script: empty or too long",
        ),
        ("include", vec![Arg::Int(2), owner.clone()], "no such box"),
        ("isMember", vec![Arg::Int(2), owner], "no such box"),
        ("boxBalance", vec![Arg::Int(-1)], "no such box"),
        (
            "withdraw",
            vec![one.clone(), one],
            "not enough SOUL in the box",
        ),
    ];
    calls
        .into_iter()
        .map(|(method, args, message)| (call(method, args), Some(message)))
        .collect()
}

#[tokio::test]
async fn bad_input_is_refused_with_the_reason_and_changes_nothing() {
    let mut sides = Sides::start().await;
    let generator = Generator::new(0, Hash160([0; 20]));
    let (owner, key) = (generator.account(OWNER), generator.key(OWNER));
    let good = call(
        "createBox",
        vec![owner, bytes(b"taken"), key, bytes(&[0x08])],
    );
    sides.perform(std::slice::from_ref(&good)).await;
    let before = sides.storage();
    let bad = bad_calls(&generator);
    for (call, message) in &bad {
        assert_eq!(sides.fault_of(call).as_deref(), *message, "{call:?}");
    }
    // `perform` holds the node to the same message, the same result and the same events.
    let calls: Vec<_> = bad.into_iter().map(|(call, _)| call).collect();
    sides.perform(&calls).await;
    sides.compare_storage().await;
    assert_eq!(sides.storage(), before);
}
