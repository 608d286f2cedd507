//! What somebody would try who means harm.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::*;
use neo_framework::chain::{Account, Item};
use neo_framework::{Hash160, Int};

/// A contract that does what it can to get more than it was given.
#[neo_framework::contract(name = "Thief", permissions = "*")]
pub mod thief {
    use neo_framework::prelude::*;

    /// Sends each payment on from within the payment, and asks for it a second time.
    #[method(name = "onNEP17Payment")]
    pub fn on_payment(from: Any, amount: Int, data: Any) {
        if from.is_null() || !data.is_bytes() {
            return;
        }
        let to = data.as_hash160();
        let token = runtime::calling_script_hash();
        let sent = send(&token, &runtime::executing_script_hash(), &to, amount);
        let again = send(&token, &runtime::executing_script_hash(), &to, amount);
        let back = send(&token, &from.as_hash160(), &to, amount);
        assert!(sent && !again && !back, "thief: got more than was there");
    }

    /// Tries to move what its caller has.
    #[method]
    pub fn steal(token: Hash160, victim: Hash160, amount: Int) -> bool {
        send(&token, &victim, &runtime::executing_script_hash(), amount)
    }

    /// Calls any method as itself.
    #[method]
    pub fn act(target: Hash160, method: Text, args: Array<Any>) -> Any {
        contracts::call(&target, &method, contracts::ALL, args)
    }

    fn send(token: &Hash160, from: &Hash160, to: &Hash160, amount: Int) -> bool {
        let args = array![
            Any::from(from.clone()),
            Any::from(to.clone()),
            Any::from(amount),
            Any::null()
        ];
        contracts::call(token, &text("transfer"), contracts::ALL, args).as_bool()
    }
}

fn hash(of: &Hash160) -> Item {
    bytes(of.as_bytes().as_slice())
}

fn thief(world: &World) -> Hash160 {
    world
        .chain
        .deploy(&[world.bob.signer()], thief::CONTRACT, Item::Null)
        .hash
}

#[test]
fn a_payment_that_is_sent_on_while_it_arrives_is_moved_once() {
    let world = World::new();
    let thief = thief(&world);
    let before = (
        world.balance(&world.alice.hash),
        world.balance(&world.bob.hash),
    );
    let args = vec![
        account(&world.alice),
        hash(&thief),
        int(50),
        account(&world.bob),
    ];
    assert_eq!(
        world.by(&world.alice, "transfer", args).result(),
        Item::Boolean(true)
    );
    assert_eq!(world.balance(&thief), 0);
    assert_eq!(world.balance(&world.alice.hash), before.0 - 50);
    assert_eq!(world.balance(&world.bob.hash), before.1 + 50);
    assert_eq!(world.sum_of_balances(), SUPPLY);
}

#[test]
fn a_contract_in_between_has_no_witness_of_who_called_it() {
    let world = World::new();
    let thief = thief(&world);
    world.new_box(&world.alice, "hers", "PUSHT");
    assert!(world.write(&world.alice, 1, "PUSH 1").is_halt());
    let before = world.storage();
    let args = vec![hash(&world.hash), account(&world.alice), int(5)];
    let outcome = world
        .chain
        .invoke(&[world.alice.signer()], &thief, "steal", args);
    assert_eq!(outcome.result(), Item::Boolean(false));
    for (method, args, message) in [
        (
            "createBox",
            vec![
                account(&world.alice),
                Item::text("x"),
                key(&world.alice),
                script("PUSHT"),
            ],
            "createBox: no witness of the owner",
        ),
        (
            "createContent",
            content_args(&world.alice, &[7; 32], [1, 0, 0, 1, BLOCK_FEE]),
            "no witness of the account",
        ),
        (
            "writeContent",
            vec![account(&world.alice), int(1), script("PUSHT"), int(0)],
            "no witness of the caller",
        ),
        (
            "readContentAt",
            vec![account(&world.alice), int(1), int(0), int(0)],
            "no witness of the caller",
        ),
        (
            "readContent",
            vec![account(&world.alice), int(1), int(9)],
            "no witness of the caller",
        ),
        (
            "callContent",
            vec![
                account(&world.alice),
                int(1),
                int(0),
                Item::array(vec![]),
                int(9),
            ],
            "no witness of the caller",
        ),
        (
            "deleteContent",
            vec![account(&world.alice), int(1)],
            "no witness of the caller",
        ),
        (
            "replaceContent",
            vec![account(&world.alice), int(1), script("PUSHT"), int(9)],
            "no witness of the caller",
        ),
        (
            "replaceGate",
            vec![int(1), script("PUSHT")],
            "no witness of the owner",
        ),
        (
            "include",
            vec![int(1), hash(&thief)],
            "no witness of the owner",
        ),
        (
            "exclude",
            vec![int(1), hash(&thief)],
            "no witness of the owner",
        ),
        ("withdraw", vec![int(1), int(1)], "no witness of the owner"),
    ] {
        let args = vec![hash(&world.hash), Item::text(method), Item::array(args)];
        let outcome = world
            .chain
            .invoke(&[world.alice.signer()], &thief, "act", args);
        assert_eq!(outcome.exception.as_deref(), Some(message));
    }
    assert_eq!(world.storage(), before);
}

/// A contract that spends each payment at once, in the box that the payment names.
#[neo_framework::contract(name = "Spender", permissions = "*")]
pub mod spender {
    use neo_framework::prelude::*;

    /// Reads the box for all that it was sent, and tries to read it for the same SOUL again.
    #[method(name = "onNEP17Payment")]
    pub fn on_payment(from: Any, amount: Int, data: Any) {
        if from.is_null() || !data.is_array() {
            return;
        }
        let list = data.as_array();
        let id = list.get(0).as_int();
        let times = list.get(1).as_int();
        let token = runtime::calling_script_hash();
        let mut done = int(0);
        while done < times {
            let args = array![
                Any::from(runtime::executing_script_hash()),
                Any::from(id),
                Any::from(amount)
            ];
            contracts::call(&token, &text("readContent"), contracts::ALL, args);
            done += 1;
        }
    }
}

#[test]
fn a_payment_is_spent_while_it_arrives_and_only_once() {
    let world = World::new();
    let spender = world
        .chain
        .deploy(&[world.bob.signer()], spender::CONTRACT, Item::Null)
        .hash;
    let toll = "STATE write\nNOT\nJMPIFNOT ok\nPUSH 50\nPAY\nok: PUSH 2";
    let id = world.new_box(&world.alice, "toll", toll);
    for n in 1..4 {
        assert!(
            world
                .write(&world.alice, id, &format!("PUSH {n}"))
                .is_halt()
        );
    }
    let send = |amount: i64, times: i64| {
        let data = Item::array(vec![int(id), int(times)]);
        vec![account(&world.bob), hash(&spender), int(amount), data]
    };
    world.refused(
        &world.bob,
        "transfer",
        send(50, 2),
        "not enough SOUL to pay the fee",
    );
    world.refused(&world.bob, "transfer", send(49, 1), "PAY: above maxPayment");
    let bob = world.balance(&world.bob.hash);
    assert_eq!(
        world.by(&world.bob, "transfer", send(50, 1)).result(),
        Item::Boolean(true)
    );
    assert_eq!(world.balance(&world.bob.hash), bob - 50);
    assert_eq!(world.balance(&spender), 0);
    assert_eq!((world.box_balance(id), world.count(id)), (40, 2));
    assert_eq!(world.sum_of_balances(), SUPPLY);
}

#[test]
fn a_contract_writes_as_itself_but_cannot_own_a_box_under_another_key() {
    let world = World::new();
    let thief = thief(&world);
    let id = world.new_box(&world.alice, "open", "PUSHT");
    let act = |method: &str, args: Vec<Item>| {
        let args = vec![hash(&world.hash), Item::text(method), Item::array(args)];
        world.chain.invoke(&[], &thief, "act", args)
    };
    let write = vec![hash(&thief), int(id), script("STATE caller"), int(0)];
    assert_eq!(act("writeContent", write).result(), int(0));
    let own = vec![
        hash(&thief),
        Item::text("mine"),
        key(&world.alice),
        script("PUSHT"),
    ];
    assert_eq!(
        act("createBox", own).exception.as_deref(),
        Some("createBox: publicKey is not the owner's")
    );
    // The pool belongs to nobody: no witness of the contract's own account comes about.
    let pool = vec![hash(&world.hash), hash(&thief), int(0), Item::Null];
    assert_eq!(act("transfer", pool).result(), Item::Boolean(false));
}

#[test]
fn names_and_numbers_that_look_alike_when_joined_stay_apart() {
    let world = World::new();
    let before = world.storage();
    let names = ["a", "a1", "1", "11", "a_", "_", "_a"];
    let ids: Vec<i64> = names
        .iter()
        .map(|name| world.new_box(&world.alice, name, "PUSHT"))
        .collect();
    for (name, id) in names.iter().zip(&ids) {
        assert_eq!(world.get("findBox", vec![Item::text(name)]), int(*id));
        assert!(
            world
                .write(&world.bob, *id, &format!("PUSH \"{name}\""))
                .is_halt()
        );
    }
    for (name, id) in names.iter().zip(&ids) {
        assert_eq!(
            world.read(&world.alice, *id, 0).result(),
            bytes(name.as_bytes())
        );
        assert_eq!(world.get("contentCount", vec![int(*id)]), int(1));
    }
    // Six new keys a box (gate, label, name, of its owner, count, content), and the counter of boxes and the pool.
    assert_eq!(world.storage().len(), before.len() + 6 * names.len() + 2);
}

/// Numbers that overflow, wrap or change sign when somebody cuts them to a size.
fn extremes() -> Vec<Item> {
    let one = Int::from_u64(1);
    let top = (one << 254) - 1 + (one << 254);
    let mut out: Vec<Item> = [-1, 0, 1 << 32, (1 << 32) + 1, 1 << 40, i64::MAX, i64::MIN]
        .map(int)
        .to_vec();
    out.extend([top, -top - 1, one << 64, (one << 64) + 1, one << 128].map(Item::Integer));
    out
}

#[test]
fn numbers_beyond_every_bound_are_refused_everywhere() {
    let world = World::new();
    world.new_box(&world.alice, "first", "PUSHT");
    assert!(world.write(&world.alice, 1, "PUSH1").is_halt());
    let before = world.storage();
    for extreme in extremes() {
        for (method, args) in [
            ("boxInfo", vec![extreme.clone()]),
            ("contentCount", vec![extreme.clone()]),
            ("contentAt", vec![extreme.clone(), int(0)]),
            ("lastSequence", vec![extreme.clone(), key(&world.alice)]),
            (
                "writeContent",
                vec![
                    account(&world.alice),
                    extreme.clone(),
                    script("PUSH1"),
                    int(0),
                ],
            ),
            (
                "readContentAt",
                vec![account(&world.alice), extreme.clone(), int(0), int(0)],
            ),
        ] {
            let outcome = world.by(&world.alice, method, args);
            assert_eq!(
                outcome.exception.as_deref(),
                Some("no such box"),
                "{method} {extreme:?}"
            );
        }
        if extreme != int(0) {
            let outcome = world.by(&world.alice, "contentAt", vec![int(1), extreme.clone()]);
            assert_eq!(outcome.exception.as_deref(), Some("no such content"));
        }
        // Size, mode, priority, periods in turn; a mode or priority of 0 is right.
        for at in 2..6 {
            let mut args = content_args(&world.alice, &[9; 32], [1, 0, 0, 1, i64::MAX]);
            args[at] = extreme.clone();
            let right = (at == 3 || at == 4) && extreme == int(0);
            // 2^32 and 2^40 bytes are sizes; Alice cannot pay for them at no period less than she has.
            let size =
                at == 2 && [int(1 << 32), int((1 << 32) + 1), int(1 << 40)].contains(&extreme);
            let outcome = world.by(&world.alice, "createContent", args);
            if right || size {
                continue;
            }
            assert!(!outcome.is_halt(), "{at} {extreme:?}");
        }
    }
    let boxes = |entries: &std::collections::BTreeMap<Vec<u8>, Vec<u8>>| {
        entries
            .keys()
            .filter(|k| (0x11..=0x15).contains(&k[0]))
            .count()
    };
    assert_eq!(boxes(&world.storage()), boxes(&before));
    assert_eq!(world.sum_of_balances(), SUPPLY);
}

/// The curve's order, big endian.
const ORDER: [u8; 32] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6,
    0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
];

/// n − s: the other signature of the same message.
fn other_half(signature: &[u8]) -> Vec<u8> {
    let mut out = signature.to_vec();
    let mut borrow = 0;
    for at in (0..32).rev() {
        let left = i32::from(ORDER[at]) - i32::from(signature[32 + at]) - borrow;
        borrow = i32::from(left < 0);
        out[32 + at] = u8::try_from(left + 256 * borrow).unwrap();
    }
    out
}

fn signed(author: &Account, network: u32, contract: &Hash160) -> Vec<Item> {
    let payload = phantasma_vm::data_script(b"once").unwrap();
    let mut message = b"PHM1".to_vec();
    message.extend(network.to_le_bytes());
    message.extend(contract.as_bytes().as_slice());
    message.extend(author.public_key.as_bytes().as_slice());
    for number in [1_u64, 7, 99] {
        message.extend(number.to_le_bytes());
    }
    message.push(2);
    message.extend(&payload);
    let signature = author.sign(&message);
    vec![
        key(author),
        int(1),
        int(7),
        int(99),
        int(2),
        bytes(&payload),
        bytes(signature.as_bytes().as_slice()),
    ]
}

#[test]
fn the_other_half_of_a_signature_is_no_second_message() {
    let world = World::new();
    world.new_box(&world.alice, "news", "PUSHT");
    let args = signed(&world.bob, world.chain.network(), &world.hash);
    let Item::ByteString(signature) = &args[6] else {
        panic!("no signature")
    };
    let mut twin = args.clone();
    twin[6] = bytes(&other_half(signature.as_slice()));
    assert_ne!(twin[6], args[6]);
    assert_eq!(
        world.by(&world.alice, "writeSigned", twin.clone()).result(),
        int(0)
    );
    let again = "writeSigned: sequence is not above the last one";
    world.refused(&world.alice, "writeSigned", args, again);
    world.refused(&world.alice, "writeSigned", twin, again);
}

#[test]
fn a_message_for_another_network_or_contract_is_refused() {
    let world = World::new();
    world.new_box(&world.alice, "news", "PUSHT");
    let network = world.chain.network();
    for args in [
        signed(&world.bob, network ^ 1, &world.hash),
        signed(&world.bob, network, &world.alice.hash),
    ] {
        world.refused(
            &world.alice,
            "writeSigned",
            args,
            "writeSigned: wrong signature",
        );
    }
    let good = signed(&world.bob, network, &world.hash);
    assert!(world.by(&world.alice, "writeSigned", good).is_halt());
}

#[test]
fn a_gate_that_always_throws_locks_its_box_and_nothing_else() {
    let world = World::new();
    let locked = world.new_box(&world.alice, "locked", "PUSH1\nTHROW");
    let open = world.new_box(&world.alice, "open", "PUSHT");
    let before = world.storage();
    assert!(!world.write(&world.alice, locked, "PUSH1").is_halt());
    assert_eq!(world.storage(), before);
    assert!(world.write(&world.alice, open, "PUSH1").is_halt());
}

#[test]
fn a_script_never_reaches_what_lies_below_its_own_items() {
    let world = World::new();
    let id = world.new_box(&world.alice, "open", "PUSHT");
    let underflow = "script: stack underflow";
    // NeoVM itself refuses a negative reach.
    let reaches = [
        ("PUSH -1", "-1 is no valid count"),
        ("PUSH 1", underflow),
        ("PUSH 2147483648", underflow),
        ("PUSH 4294967296", underflow),
        ("PUSH 0xff", "-1 is no valid count"),
        ("PUSH 0x01", underflow),
    ];
    let mut index = 0;
    for (reach, expected) in reaches {
        for op in ["PICK", "ROLL"] {
            let content = format!("PUSH 5\n{reach}\n{op}");
            assert!(world.write(&world.bob, id, &content).is_halt(), "{content}");
            let outcome = world.read(&world.bob, id, index);
            let message = outcome.exception.unwrap_or_default();
            assert!(message.contains(expected), "{content}: {message}");
            index += 1;
        }
    }
    for reach in ["PUSH 0", "PUSH 0x00", "PUSHF", "PUSH \"\""] {
        assert!(
            world
                .write(&world.bob, id, &format!("PUSH 5\n{reach}\nPICK"))
                .is_halt()
        );
        assert_eq!(world.read(&world.bob, id, index).result(), int(5));
        index += 1;
    }
}

#[test]
fn data_that_looks_like_instructions_stays_data() {
    let world = World::new();
    let id = world.new_box(&world.alice, "open", "PUSHT");
    // THROW, RET, JMP into the middle of nothing, FAIL, an unknown byte.
    let data = [0x3A, 0x40, 0x22, 0x7F, 0xE9, 0xFF];
    let content = phantasma_vm::data_script(&data).unwrap();
    let args = vec![account(&world.bob), int(id), bytes(&content), int(0)];
    assert!(world.by(&world.bob, "writeContent", args).is_halt());
    assert_eq!(world.read(&world.bob, id, 0).result(), bytes(&data));
    // JMP into that data: refused.
    let into = [vec![0x22, 0x04], content].concat();
    let args = vec![account(&world.bob), int(id), bytes(&into), int(0)];
    world.refused(
        &world.bob,
        "writeContent",
        args,
        "script: jump into an instruction or past the end",
    );
    for offset in [0x00, 0x80, 0xFF] {
        let args = vec![
            account(&world.bob),
            int(id),
            bytes(&[0x22, offset, 0x10]),
            int(0),
        ];
        world.refused(&world.bob, "writeContent", args, "script: backward jump");
    }
}
