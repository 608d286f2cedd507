//! Bounds by the SDK and the command beside what transactions then take, at Neo's own prices.

use std::process::Command;

use neo_client::{Account, Receipt, VmState};
use phantasma_sdk::contract::Phantasma;
use phantasma_sdk::estimate::{Access, Estimate, EstimateError, Question, Subject};
use phantasma_tests::{TestNet, binary};
use phantasma_vm::{assemble, data_script};
use serde_json::Value;

/// Half the bounds must be below so many times of what was taken; here each is.
const NEAR: f64 = 1.5;

const TICKETS: &str = "
            STATE write
            JMPIFNOT readers
            OK
    readers: STATE own
            JMPIFNOT pay
            OK
    pay:    PUSH 2_00000000
            PAY
            OK";

struct World {
    net: TestNet,
    phantasma: Phantasma,
    owner: Account,
    reader: Account,
}

async fn world() -> World {
    let net = TestNet::start().await;
    let deployed = net.deploy_phantasma().await;
    let phantasma = Phantasma::new(net.rpc(), deployed.hash);
    let reader = net.funded_account(50).await;
    phantasma
        .transfer(&deployed.owner, &reader.script_hash, 100_00000000)
        .await
        .unwrap();
    World {
        owner: deployed.owner,
        phantasma,
        reader,
        net,
    }
}

impl World {
    async fn ask(&self, id: u64, who: &Account, access: Access, max_payment: u64) -> Estimate {
        let question = Question {
            subject: Subject::Box(id),
            access,
            caller: Some(who.script_hash),
            max_payment,
            follow: true,
        };
        self.phantasma.estimate(&question).await.unwrap()
    }
}

#[track_caller]
fn holds(estimate: &Estimate, receipt: &Receipt) {
    let most = estimate.bound.total.gas_datoshi() as f64;
    let taken = receipt.gas_consumed as f64;
    eprintln!(
        "{:16} {taken} of {most}: {:.3}",
        estimate.method,
        most / taken
    );
    assert!(taken <= most && most <= taken * NEAR, "{taken} of {most}");
}

#[tokio::test]
async fn transactions_take_what_was_estimated_or_less() {
    let world = world().await;
    let (phantasma, owner, reader) = (&world.phantasma, &world.owner, &world.reader);
    let gate = assemble(TICKETS).unwrap();
    let question = Question {
        subject: Subject::Scripts {
            gate: gate.clone(),
            content: None,
        },
        access: Access::Create("film".to_owned()),
        caller: Some(owner.script_hash),
        max_payment: 0,
        follow: true,
    };
    let estimate = phantasma.estimate(&question).await.unwrap();
    let (id, receipt) = phantasma.create_box(owner, "film", &gate).await.unwrap();
    holds(&estimate, &receipt);
    let fee = phantasma.settings().await.unwrap().box_fee;
    assert_eq!(estimate.bound.total.soul, u128::from(fee));

    for text in ["the first reel", "the second one"] {
        let content = data_script(text.as_bytes()).unwrap();
        let access = Access::Write(content.clone());
        let estimate = world.ask(id, owner, access, 0).await;
        let (_, receipt) = phantasma
            .write_content(owner, id, &content, 0)
            .await
            .unwrap();
        holds(&estimate, &receipt);
    }
    let estimate = world.ask(id, reader, Access::Read, 5_00000000).await;
    assert_eq!(estimate.bound.total.soul, 2_00000000);
    let (_, receipt) = phantasma
        .read_content(reader, id, 5_00000000)
        .await
        .unwrap();
    holds(&estimate, &receipt);
    let estimate = world.ask(id, owner, Access::Read, 0).await;
    assert_eq!(estimate.bound.total.soul, 0);
    let (_, receipt) = phantasma.read_content(owner, id, 0).await.unwrap();
    holds(&estimate, &receipt);
    let content = data_script(b"a longer reel than the first").unwrap();
    let estimate = world
        .ask(id, owner, Access::Replace(content.clone()), 0)
        .await;
    let receipt = phantasma
        .replace_content(owner, id, &content, 0)
        .await
        .unwrap();
    holds(&estimate, &receipt);
    let estimate = world.ask(id, owner, Access::Delete, 0).await;
    holds(
        &estimate,
        &phantasma.delete_content(owner, id).await.unwrap(),
    );

    let empty = Question {
        subject: Subject::Box(id),
        access: Access::Read,
        ..question.clone()
    };
    let nothing = phantasma.estimate(&empty).await;
    assert!(matches!(nothing, Err(EstimateError::NoContent(_))));
    let elsewhere = Question {
        subject: Subject::Box(99),
        access: Access::Delete,
        ..question
    };
    let nowhere = phantasma.estimate(&elsewhere).await;
    assert!(matches!(nowhere, Err(EstimateError::NoBox(99))));
}

#[tokio::test]
async fn boxes_that_a_script_acts_on_are_looked_up_on_the_chain() {
    let world = world().await;
    let (phantasma, owner) = (&world.phantasma, &world.owner);
    let free = assemble("OK").unwrap();
    let (library, _) = phantasma.create_box(owner, "library", &free).await.unwrap();
    let sum = assemble("PUSH 20\nPUSH 22\nADD").unwrap();
    phantasma
        .write_content(owner, library, &sum, 0)
        .await
        .unwrap();
    let (id, _) = phantasma.create_box(owner, "caller", &free).await.unwrap();
    let call = assemble(&format!("PUSH 0\nPUSH 0\nPUSH {library}\nCALL")).unwrap();
    phantasma.write_content(owner, id, &call, 0).await.unwrap();
    let estimate = world.ask(id, owner, Access::Call(0, vec![]), 0).await;
    assert!(!estimate.bound.wide, "{:?}", estimate.bound);
    assert_eq!(estimate.bound.total.nested, 2);
    let (result, receipt) = phantasma.call_content(owner, id, 0, &[], 0).await.unwrap();
    assert_eq!(result.as_u64().unwrap(), 42);
    holds(&estimate, &receipt);
}

#[tokio::test]
async fn the_command_tells_the_bound_of_a_box_and_of_a_script() {
    let world = world().await;
    let gate = assemble(TICKETS).unwrap();
    let content = data_script(b"reel").unwrap();
    let (id, _) = world
        .phantasma
        .create_box(&world.owner, "film", &gate)
        .await
        .unwrap();
    world
        .phantasma
        .write_content(&world.owner, id, &content, 0)
        .await
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let output = Command::new(binary("phantasma"))
            .args(args)
            .args([
                "--dir",
                dir.path().to_str().unwrap(),
                "--rpc",
                world.net.rpc_url(),
            ])
            .args(["--contract", &world.phantasma.hash().to_string()])
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    };
    let text = run(&["gate", "estimate", "--box", "film"]);
    assert!(text.contains("readContentAt takes at most"), "{text}");
    assert!(text.contains("SOUL     2"), "{text}");
    assert!(text.contains("the dearest way through the gate"), "{text}");
    let of_box = run(&["gate", "estimate", "--box", "film", "--json"]);
    let of_box: Value = serde_json::from_str(&of_box).unwrap();
    assert_eq!(of_box["at_most"]["soul"], "2");
    assert_eq!(of_box["only_limits"], false);
    let script = hex::encode(&gate);
    let written = run(&["gate", "estimate", &script, "--as", "write", "--json"]);
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["method"], "writeContent");
    assert_eq!(written["at_most"]["soul"], "0");
    // A test run of the same reading takes no more.
    let call = world.phantasma.call(
        &world.reader,
        "readContentAt",
        &[
            world.reader.script_hash.into(),
            id.into(),
            0u64.into(),
            2_00000000u64.into(),
        ],
    );
    let taken = call.unwrap().test_run(&world.net.rpc()).await.unwrap();
    assert_eq!(taken.state, VmState::Halt);
    let most: f64 = of_box["at_most"]["gas"].as_str().unwrap().parse().unwrap();
    assert!(taken.gas_consumed as f64 <= most * 1e8);
}
