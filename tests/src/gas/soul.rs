//! Calls of the contract that has the SOUL, boxes and the register of content.

use neo_client::{Account, ContractParam};
use phantasma::net::NETWORK_MAGIC;
use phantasma_vm::{Gate, data_script, free_gate};

use super::world::{Call, ONE, START_MS, World, bytes, root_named, transfer};
use crate::quiet::account_named;

/// A line of text.
const TEXT_BYTES: usize = 100;
/// A message of the class that goes to the chain.
const CLASS: u8 = 2;

/// Numbers of the boxes that are measured.
struct Boxes {
    free: u64,
    paid: u64,
}

pub(super) async fn measure(world: &mut World) {
    token(world).await;
    let boxes = fixtures(world).await;
    views(world, &boxes).await;
    create(world).await;
    write(world, &boxes).await;
    read(world, &boxes).await;
    keep(world, &boxes).await;
    register(world).await;
}

async fn token(world: &mut World) {
    let (alice, bob) = (world.alice.clone(), world.bob.clone());
    let soul = world.three.soul;
    let new = account_named("nobody yet").script_hash;
    let case = "`transfer` to a new account";
    let call = transfer(soul, &alice, &new, ONE);
    world.measure(case, &alice, call).await;
    let case = "`transfer` to an account that has some";
    let call = transfer(soul, &alice, &bob.script_hash, ONE);
    world.measure(case, &alice, call).await;
    let (_, _, mut params) = transfer(soul, &alice, &bob.script_hash, ONE);
    params.truncate(3);
    let case = "`transfer` by NEP-5";
    world
        .measure(case, &alice, (soul, "transfer", params))
        .await;
    let params = vec![
        alice.script_hash.into(),
        ONE.into(),
        "NSwapTargetAddressOnAnotherChain00".into(),
    ];
    world
        .measure("`swapOut`", &alice, (soul, "swapOut", params))
        .await;
}

/// A free box of alice's with three texts, and one whose gate takes SOUL, with one that bob has paid for.
async fn fixtures(world: &mut World) -> Boxes {
    let (alice, bob) = (world.alice.clone(), world.bob.clone());
    let first = world.crowd as u64 + 1;
    let (free, paid) = (first, first + 1);
    let pay = Gate::Pay(100).script().expect("a gate");
    let calls = vec![
        create_box(world, &alice, "measured_free", &free_gate()),
        create_box(world, &alice, "measured_paid", &pay),
    ];
    world.by(&alice, calls).await;
    let texts = (0..3).map(|_| write_call(world, &alice, free)).collect();
    world.by(&alice, texts).await;
    let list = (
        world.three.soul,
        "include",
        vec![free.into(), bob.script_hash.into()],
    );
    world.by(&alice, vec![list]).await;
    let call = write_call(world, &bob, paid);
    world.by(&bob, vec![call]).await;
    let content = world.register(root_named("measured"), 1 << 20);
    world.by(&alice, vec![content]).await;
    Boxes { free, paid }
}

fn create_box(world: &World, owner: &Account, name: &str, gate: &[u8]) -> Call {
    let params = vec![
        owner.script_hash.into(),
        name.into(),
        owner.key.public_key().into(),
        bytes(gate),
    ];
    (world.three.soul, "createBox", params)
}

fn text() -> Vec<u8> {
    data_script(&[0x61; TEXT_BYTES]).expect("a text")
}

fn write_call(world: &World, by: &Account, id: u64) -> Call {
    let params = vec![by.script_hash.into(), id.into(), bytes(text()), 1000.into()];
    (world.three.soul, "writeContent", params)
}

async fn views(world: &mut World, boxes: &Boxes) {
    let alice = world.alice.clone();
    let who = ContractParam::from(alice.script_hash);
    let id = ContractParam::from(boxes.free);
    let key = ContractParam::from(alice.key.public_key());
    let root = root_named("measured");
    let numbers = [1 << 20, 1, 2, 12].map(ContractParam::from).to_vec();
    let all: [(&'static str, &'static str, Vec<ContractParam>); 19] = [
        ("`name`", "name", vec![]),
        ("`symbol`", "symbol", vec![]),
        ("`decimals`", "decimals", vec![]),
        ("`totalSupply`", "totalSupply", vec![]),
        ("`balanceOf`", "balanceOf", vec![who.clone()]),
        ("`poolBalance`", "poolBalance", vec![]),
        ("`settings`", "settings", vec![]),
        ("`boxInfo`", "boxInfo", vec![id.clone()]),
        ("`findBox`", "findBox", vec!["measured_free".into()]),
        (
            "`boxesOf`, the iterator itself",
            "boxesOf",
            vec![who.clone()],
        ),
        ("`boxCount`", "boxCount", vec![]),
        ("`lastSequence`", "lastSequence", vec![id.clone(), key]),
        (
            "`contentAt`, 100 bytes",
            "contentAt",
            vec![id.clone(), 1.into()],
        ),
        ("`contentCount`", "contentCount", vec![id.clone()]),
        ("`isMember`", "isMember", vec![id.clone(), who.clone()]),
        ("`boxBalance`", "boxBalance", vec![boxes.paid.into()]),
        ("`inspectContent`", "inspectContent", vec![who, id]),
        ("`contentQuote`", "contentQuote", numbers),
        ("`contentInfo`", "contentInfo", vec![root]),
    ];
    for (case, method, params) in all {
        let call = (world.three.soul, method, params);
        world.measure(case, &alice, call).await;
    }
}

async fn create(world: &mut World) {
    let alice = world.alice.clone();
    let call = create_box(world, &alice, "another", &free_gate());
    world
        .measure("`createBox`, open to all", &alice, call)
        .await;
    let gate = Gate::subscription(100, 3600).script().expect("a gate");
    let call = create_box(world, &alice, "another", &gate);
    world
        .measure("`createBox`, by subscription", &alice, call)
        .await;
}

async fn write(world: &mut World, boxes: &Boxes) {
    let (alice, bob) = (world.alice.clone(), world.bob.clone());
    let call = write_call(world, &bob, boxes.free);
    world.measure("`writeContent`, 100 bytes", &bob, call).await;
    let call = write_call(world, &bob, boxes.paid);
    let case = "`writeContent`, 100 bytes, the gate takes SOUL";
    world.measure(case, &bob, call).await;
    let call = signed(world, &alice, boxes.free);
    let case = "`writeSigned`, 100 bytes, the first of its author there";
    world.measure(case, &bob, call).await;
    let params = vec![
        alice.script_hash.into(),
        boxes.free.into(),
        bytes(text()),
        0.into(),
    ];
    let call = (world.three.soul, "replaceContent", params);
    world
        .measure("`replaceContent`, 100 bytes", &alice, call)
        .await;
    let params = vec![alice.script_hash.into(), boxes.free.into()];
    let call = (world.three.soul, "deleteContent", params);
    world.measure("`deleteContent`", &alice, call).await;
}

fn signed(world: &World, author: &Account, id: u64) -> Call {
    let soul = world.three.soul;
    let key = author.key.public_key();
    let (sequence, time) = (1u64, START_MS as u64);
    let mut data = b"PHM1".to_vec();
    data.extend(NETWORK_MAGIC.to_le_bytes());
    data.extend(soul.0);
    data.extend(key.0);
    for number in [id, sequence, time] {
        data.extend(number.to_le_bytes());
    }
    data.push(CLASS);
    data.extend(text());
    let signature = author.key.sign(&data);
    let params = vec![
        key.into(),
        id.into(),
        sequence.into(),
        time.into(),
        CLASS.into(),
        bytes(text()),
        signature.into(),
    ];
    (soul, "writeSigned", params)
}

async fn read(world: &mut World, boxes: &Boxes) {
    let (alice, bob) = (world.alice.clone(), world.bob.clone());
    let soul = world.three.soul;
    let at = |who: &Account, id: u64| vec![who.script_hash.into(), id.into(), 0.into()];
    let with_payment = |mut params: Vec<ContractParam>| {
        params.push(1000.into());
        params
    };
    let call = (soul, "readContentAt", with_payment(at(&bob, boxes.free)));
    world
        .measure("`readContentAt`, 100 bytes", &bob, call)
        .await;
    let call = (soul, "readContentAt", with_payment(at(&bob, boxes.paid)));
    let case = "`readContentAt`, 100 bytes, the gate takes SOUL";
    world.measure(case, &bob, call).await;
    let mut params = at(&bob, boxes.free);
    params.push(ContractParam::Array(vec![1.into(), 2.into()]));
    let call = (soul, "callContent", with_payment(params));
    world.measure("`callContent`, two inputs", &bob, call).await;
    let params = vec![alice.script_hash.into(), boxes.free.into(), 0.into()];
    let call = (soul, "readContent", params);
    let case = "`readContent`, taken off by the owner";
    world.measure(case, &alice, call).await;
}

/// What a box's owner does.
async fn keep(world: &mut World, boxes: &Boxes) {
    let (alice, bob) = (world.alice.clone(), world.bob.script_hash);
    let soul = world.three.soul;
    let id = ContractParam::from(boxes.free);
    let gate = bytes(Gate::Members.script().expect("a gate"));
    let somebody = account_named("somebody").script_hash;
    let all: [(&'static str, &'static str, Vec<ContractParam>); 4] = [
        ("`replaceGate`", "replaceGate", vec![id.clone(), gate]),
        ("`include`", "include", vec![id.clone(), somebody.into()]),
        ("`exclude`", "exclude", vec![id, bob.into()]),
        ("`withdraw`", "withdraw", vec![boxes.paid.into(), 50.into()]),
    ];
    for (case, method, params) in all {
        world.measure(case, &alice, (soul, method, params)).await;
    }
}

async fn register(world: &mut World) {
    let (alice, bob) = (world.alice.clone(), world.bob.clone());
    let soul = world.three.soul;
    let call = world.register(root_named("another"), 1 << 30);
    world.measure("`createContent`", &alice, call).await;
    let root = root_named("measured");
    let params = vec![
        bob.script_hash.into(),
        root.clone(),
        12.into(),
        i64::MAX.into(),
    ];
    let call = (soul, "renewContent", params);
    world.measure("`renewContent`", &bob, call).await;
    let params = vec![
        alice.script_hash.into(),
        root,
        root_named("another"),
        (1 << 30).into(),
        i64::MAX.into(),
    ];
    let call = (soul, "updateContent", params);
    world.measure("`updateContent`", &alice, call).await;
}
