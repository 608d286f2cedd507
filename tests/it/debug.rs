//! The step debugger against a real node: what it says of a transaction is what the chain did.

use std::path::Path;

use neo_client::{Account, ContractParam, Hash256, Transaction, VmState};
use phantasma_sdk::contract::Phantasma;
use phantasma_sdk::emulator::{Emulator, Snapshot};
use phantasma_sdk::replay::{ReplayError, replay};
use phantasma_tests::TestNet;
use phantasma_vm::debug::{Answer, Command};
use phantasma_vm::{assemble, data_script};

/// The owner may write; others may once a number is large enough, which it is not.
const GATE: &str = "STATE own\nJMPIFNOT guests\nOK\nguests: PUSH 2\nPUSH 3\nGE";

async fn deployed(net: &TestNet) -> (Phantasma, Account) {
    let deployed = net.deploy_phantasma().await;
    (Phantasma::new(net.rpc(), deployed.hash), deployed.owner)
}

/// Sends a call without trying it first, so that it may fail on the chain.
async fn send_anyway(
    net: &TestNet,
    account: &Account,
    contract: &Phantasma,
    method: &str,
    params: &[ContractParam],
) -> Hash256 {
    let rpc = net.rpc();
    let mut script = neo_client::ScriptBuilder::new();
    script.call(&contract.hash(), method, neo_client::flags::ALL, params);
    let mut tx = Transaction {
        nonce: 77,
        system_fee: 5_0000_0000,
        network_fee: 1000_0000,
        valid_until_block: rpc.get_block_count().await.unwrap() + 100,
        signers: vec![neo_client::Signer::new(account.script_hash)],
        script: script.build().unwrap(),
        ..Transaction::default()
    };
    let signers = std::slice::from_ref(account);
    neo_client::account::sign(&mut tx, phantasma_tests::NETWORK_MAGIC, signers).unwrap();
    let txid = rpc.send_raw_transaction(&tx).await.unwrap();
    for _ in 0..100 {
        if rpc.get_transaction_height(&txid).await.unwrap().is_some() {
            return txid;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{txid} came into no block");
}

fn write_params(caller: &Account, id: u64) -> Vec<ContractParam> {
    vec![
        caller.script_hash.into(),
        id.into(),
        ContractParam::bytes(data_script(b"hello").unwrap()),
        0.into(),
    ]
}

#[tokio::test]
async fn a_write_is_replayed_as_it_was_and_stepped_through() {
    let net = TestNet::start().await;
    let (phantasma, owner) = deployed(&net).await;
    let (id, made) = phantasma
        .create_box(&owner, "news", &assemble(GATE).unwrap())
        .await
        .unwrap();
    let content = data_script(b"hello").unwrap();
    let (_, written) = phantasma
        .write_content(&owner, id, &content, 0)
        .await
        .unwrap();

    for txid in [made.txid, written.txid] {
        let replay = replay(&net.rpc(), &phantasma.hash(), &txid).await.unwrap();
        assert!(replay.agrees(), "{:?}", replay.differences);
        assert!(replay.notes.is_empty(), "{:?}", replay.notes);
        assert_eq!(replay.on_chain.state, VmState::Halt);
    }
    let replayed = replay(&net.rpc(), &phantasma.hash(), &written.txid)
        .await
        .unwrap();
    assert_eq!(replayed.outcome.notifications[0].name, "ContentWritten");
    let mut debugger = replayed
        .outcome
        .debugger()
        .with_account_names(|_| "the owner".to_owned());
    let mut lines = debugger.render(Answer::Place);
    for line in ["s", "s", "s", "b", "cost"] {
        let command = Command::parse(line).unwrap().unwrap();
        let answer = debugger.apply(&command);
        lines.push_str(&format!("\n> {line}\n{}", debugger.render(answer)));
    }
    let expected = "\
-- box 1, write, asked by the owner
   0  STATE own                    []
> s
   2  JMPIFNOT L5                  [true]
> s
   4  OK                           []
> s
end: HALT, result 0
> b
   4  OK                           []
> cost
2 instructions, 2 units, 0 of SOUL's smallest unit";
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_refused_write_faults_in_the_replay_too() {
    let net = TestNet::start().await;
    let (phantasma, owner) = deployed(&net).await;
    let (id, _) = phantasma
        .create_box(&owner, "news", &assemble(GATE).unwrap())
        .await
        .unwrap();
    let stranger = net.funded_account(20).await;
    let params = write_params(&stranger, id);
    let txid = send_anyway(&net, &stranger, &phantasma, "writeContent", &params).await;
    let replayed = replay(&net.rpc(), &phantasma.hash(), &txid).await.unwrap();
    assert!(replayed.agrees(), "{:?}", replayed.differences);
    assert_eq!(replayed.on_chain.state, VmState::Fault);
    let refusal = replayed.outcome.exception.clone().unwrap();
    assert!(replayed.on_chain.exception.unwrap().contains(&refusal));
    let mut debugger = replayed.outcome.debugger();
    debugger.apply(&Command::Continue);
    debugger.apply(&Command::Back);
    assert!(
        debugger
            .render(Answer::Place)
            .ends_with("GE                           [2, 3]")
    );
    debugger.apply(&Command::Step);
    assert_eq!(
        debugger.render(Answer::Place),
        format!("end: FAULT, {refusal}")
    );
}

#[tokio::test]
async fn random_numbers_of_a_past_transaction_are_known() {
    let net = TestNet::start().await;
    let (phantasma, owner) = deployed(&net).await;
    // Reading gives the number, so a wrong one would be a difference.
    let (id, _) = phantasma
        .create_box(
            &owner,
            "dice",
            &assemble("STATE consensus\nDROP\nPUSHT").unwrap(),
        )
        .await
        .unwrap();
    let dice = assemble("STATE consensus").unwrap();
    let (index, _) = phantasma.write_content(&owner, id, &dice, 0).await.unwrap();
    let params = [owner.script_hash.into(), id.into(), index.into(), 0.into()];
    let txid = send_anyway(&net, &owner, &phantasma, "readContentAt", &params).await;
    let replayed = replay(&net.rpc(), &phantasma.hash(), &txid).await.unwrap();
    assert!(replayed.agrees(), "{:?}", replayed.differences);
    assert_eq!(replayed.outcome.recording.runs.len(), 2);
    assert!(replayed.outcome.result().as_integer().unwrap() > 0.into());
}

#[tokio::test]
async fn the_state_of_the_chain_goes_on_in_the_emulator_and_not_on_the_chain() {
    let net = TestNet::start().await;
    let (phantasma, owner) = deployed(&net).await;
    let (id, _) = phantasma
        .create_box(&owner, "news", &phantasma_vm::free_gate())
        .await
        .unwrap();
    let content = data_script(b"x").unwrap();
    let rpc = net.rpc();
    for _ in 0..3 {
        phantasma
            .write_content(&owner, id, &content, 0)
            .await
            .unwrap();
    }
    let snapshot = Snapshot::latest(&rpc, &phantasma.hash()).await.unwrap();
    let emulator = Emulator::from_snapshot(&snapshot);
    let params = write_params(&owner, id);
    let signer = [neo_client::Signer::new(owner.script_hash)];
    let written = emulator.call(&signer, "writeContent", &params).unwrap();
    assert_eq!(
        written.result().as_u64().unwrap(),
        3,
        "{:?}",
        written.exception
    );
    assert_eq!(phantasma.content_count(id).await.unwrap(), 3);
    for entry in &snapshot.entries {
        let root = rpc.get_state_root(snapshot.block_index).await.unwrap();
        let stored = rpc
            .get_storage_historic(&root, &phantasma.hash(), &entry.key)
            .await
            .unwrap();
        assert_eq!(stored.as_deref(), Some(entry.value.as_slice()));
    }
}

#[tokio::test]
async fn what_cannot_be_replayed_is_said() {
    let net = TestNet::start().await;
    let (phantasma, owner) = deployed(&net).await;
    let rpc = net.rpc();
    let unknown = Hash256([7; 32]);
    let error = replay(&rpc, &phantasma.hash(), &unknown).await.unwrap_err();
    assert!(matches!(error, ReplayError::Unknown(_)), "{error}");
    let gas = net
        .actor(&owner)
        .transfer(&neo_client::GAS, &owner.script_hash, 1)
        .await
        .unwrap();
    let error = replay(&rpc, &phantasma.hash(), &gas.txid)
        .await
        .unwrap_err();
    assert!(matches!(error, ReplayError::NotOurs { .. }), "{error}");
}

/// What a command prints; it must work.
fn phantasma(dir: &Path, args: &[&str]) -> (String, String) {
    let mut command = std::process::Command::new(phantasma_tests::binary("phantasma"));
    for name in ["DIR", "RPC", "CONTRACT", "WALLET", "ACCOUNT", "PASSWORD"] {
        command.env_remove(format!("PHANTASMA_{name}"));
    }
    let output = command.args(args).current_dir(dir).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{args:?}: {err}");
    (out, err)
}

#[test]
fn a_session_of_the_command_reads_as_it_should() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("gate.asm"), GATE).unwrap();
    let commands = "s;break guests;breaks;c;stack;n;n;list;jump;n;cost;q;s";
    let args = [
        "gate",
        "debug",
        "gate.asm",
        "--time",
        "1800000000",
        "--commands",
        commands,
    ];
    let (out, err) = phantasma(dir.path(), &args);
    let caller = phantasma_sdk::emulator::account("caller").hash.to_address();
    let expected = format!(
        "\
-- box 1, write, asked by {caller}
   0  STATE own                    []
> s
   2  JMPIFNOT L5                  [false]
> break guests
stops at guests
> breaks
stops at guests
> c
   5  PUSH2                        []
> stack
the stack is empty
> n
   6  PUSH3                        [2]
> n
   7  GE                           [2, 3]
> list
      0             STATE own
      2             JMPIFNOT L5
      4             OK
 *    5  guests:    PUSH2
      6             PUSH3
>     7             GE
> jump
\"jump\" is no command; `help` lists them
> n
end: FAULT, the gate refuses
> cost
5 instructions, 12 units, 0 of SOUL's smallest unit
> q
"
    );
    assert_eq!(out, expected);
    assert!(err.contains("FAULT, the gate refuses"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_replays_a_transaction_and_debugs_a_box_of_the_chain() {
    let net = TestNet::start().await;
    let (contract, owner) = deployed(&net).await;
    let gate = assemble(GATE).unwrap();
    let (id, _) = contract.create_box(&owner, "news", &gate).await.unwrap();
    let content = data_script(b"hello").unwrap();
    let (_, written) = contract
        .write_content(&owner, id, &content, 0)
        .await
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (hash, txid) = (contract.hash().to_string(), written.txid.to_string());
    let at = ["--rpc", net.rpc_url(), "--contract", &hash];
    let run = |args: &[&str]| {
        let args = [args, &at].concat();
        tokio::task::block_in_place(|| phantasma(dir.path(), &args))
    };
    let (out, _) = run(&["gate", "replay", &txid, "--json"]);
    let data: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(data["agrees"], true, "{out}");
    assert_eq!(data["calls"][0], "writeContent");
    assert_eq!(data["outcome"]["state"], "HALT");
    assert_eq!(data["steps"][1]["instruction"], "JMPIFNOT L5");
    assert_eq!(data["steps"][1]["stack"][0]["value"], true);
    assert_eq!(data["scripts"][0]["caller"], owner.address.as_str());
    let (out, err) = run(&["gate", "replay", &txid, "--commands", "c"]);
    assert!(err.contains("the replay agrees with the chain"), "{err}");
    assert!(out.ends_with("> c\nend: HALT, result 0\n"), "{out}");

    // A stranger reads what the owner wrote: the box's own gate says no.
    let own = [
        "gate",
        "debug",
        "--live",
        "--box",
        "news",
        "--as",
        "read",
        "--commands",
        "c",
    ];
    let (out, _) = run(&own);
    assert!(out.ends_with("end: FAULT, the gate refuses\n"), "{out}");
    assert_eq!(contract.box_info(id).await.unwrap().unwrap().gate, gate);
}
