//! Priced inboxes and allow-lists.

use phantasma_mail::letter::{self, Carried, Letter};
use phantasma_net::{Identity, resolve};
use phantasma_sdk::boxes;
use phantasma_sdk::content::ContentKey;
use phantasma_sdk::contract::Phantasma;
use phantasma_sdk::relay::{ChainId, RelayClient};
use phantasma_tests::NETWORK_MAGIC;
use phantasma_wire::codec::Frame as _;
use phantasma_wire::message::Class;

use super::*;

const SOUL: u64 = 100_000_000;

/// What SMTP said to the one reader.
fn refused(answer: &Value, to: &str) -> (u64, String) {
    let said = &answer["refused"][to];
    let text = said[1].as_str().unwrap_or_else(|| panic!("{answer}"));
    (said[0].as_u64().unwrap(), text.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_unpaid_mail_is_refused_and_paid_mail_arrives() {
    let world = World::new(0).await;
    let (bob, eve) = (world.user("bob").await, world.user("eve").await);
    let contract = Phantasma::new(world.net.rpc(), world.deployed.hash);
    let box_id = contract.find_box("bob").await.unwrap().unwrap();
    bob.json(&["mail", "price", "--each", "0.5"]);
    let at_bob = bob.serve(&[]);

    let at_eve = eve.serve(&[]);
    let answer = eve.send(&at_eve, &bob.mail(), "unpaid", &[]);
    let (code, text) = refused(&answer, &bob.mail());
    assert_eq!(code, 550);
    assert!(
        text.starts_with("5.7.1 ") && text.contains("0.5 SOUL"),
        "{text}"
    );
    assert!(text.contains("max_postage"), "how to pay: {text}");
    let text = eve.refusal(&["mail", "send", "--to", &bob.mail(), "--text", "unpaid"]);
    assert!(text.contains("0.5 SOUL"), "{text}");

    // Whoever goes round the own daemon comes no further.
    bypass(&world, &eve, &contract, box_id, &bob).await;

    // Eve says what she is ready to pay, and the gate is paid on the chain.
    at_eve.guard.kill();
    let at_eve = eve.serve(&["--max-postage", "1"]);
    let before = contract
        .balance_of(&Hash160::from_address(&eve.address).unwrap())
        .await
        .unwrap();
    assert_eq!(
        eve.send(&at_eve, &bob.mail(), "paid", &["text=for half a SOUL\n"])["sent"],
        true
    );
    let got = bob.inbox(&at_bob, 1);
    assert_eq!(got.len(), 1);
    assert_eq!(got[0]["header"]["Subject"], "paid");
    assert_eq!(got[0]["text"], "for half a SOUL\n");
    let after = contract
        .balance_of(&Hash160::from_address(&eve.address).unwrap())
        .await
        .unwrap();
    assert_eq!(before - after, SOUL / 2);
    // The storage pool has its share, the box the rest.
    assert_eq!(
        contract.box_balance(box_id).await.unwrap(),
        SOUL / 2 * 80 / 100
    );

    // A friend writes for nothing; an enemy not for anything.
    bob.json(&["mail", "allow", &eve.mail()]);
    assert_eq!(eve.send(&at_eve, &bob.mail(), "free", &[])["sent"], true);
    assert_eq!(bob.inbox(&at_bob, 2)[1]["header"]["Subject"], "free");
    assert_eq!(
        contract.box_balance(box_id).await.unwrap(),
        SOUL / 2 * 80 / 100
    );
    bob.json(&["mail", "deny", &eve.address]);
    let answer = eve.send(&at_eve, &bob.mail(), "never", &[]);
    let (code, text) = refused(&answer, &bob.mail());
    assert!(
        code == 550 && text.contains("takes no mail from you"),
        "{text}"
    );
    bob.json(&["mail", "allow", &eve.mail()]);
    bob.json(&["mail", "price", "--closed"]);
    assert_eq!(
        eve.send(&at_eve, &bob.mail(), "on the list", &[])["sent"],
        true
    );
    assert_eq!(bob.inbox(&at_bob, 3).len(), 3);
}

/// An unpaid letter straight to the relay: the relay refuses it, or bob's daemon does.
async fn bypass(world: &World, eve: &User, contract: &Phantasma, box_id: u64, bob: &User) {
    let wallet = Wallet::open(eve.path("phantasma/wallet.json")).unwrap();
    let account = wallet.decrypt(&eve.address, PASSWORD).unwrap();
    let reader = contract.box_info(box_id).await.unwrap().unwrap().public_key;
    let key = ContentKey::random();
    let mail = b"From: eve@phantasma.alt\r\nSubject: smuggled\r\n\r\nx\r\n";
    let (root, ciphertext) = letter::encrypt(mail, &key).unwrap();
    let secret = zeroize::Zeroizing::new(*key.as_bytes());
    let letter = Letter {
        sealed: letter::seal(&account.key, &reader, &root, &secret).unwrap(),
        carried: Carried::Within(ciphertext),
    };
    let time_ms = phantasma_mail::post::now_ms();
    let data = letter.encode();
    let message = boxes::sign(
        contract,
        &account,
        box_id,
        time_ms,
        time_ms,
        Class::Durable,
        &data,
    );
    let message = message.await.unwrap();
    let (relay_key, address) = world.relay.split_once('@').unwrap();
    let identity = Identity::from_scalar(&account.key.to_bytes()).unwrap();
    let chain = ChainId {
        network: NETWORK_MAGIC,
        contract: world.deployed.hash.0,
    };
    let relay_key = hex::decode(relay_key).unwrap().try_into().unwrap();
    let address = resolve(address).await.unwrap();
    let client = RelayClient::connect(address, &identity, Some(relay_key), chain)
        .await
        .unwrap();
    if client.publish(message).await.is_err() {
        return;
    }
    let log = bob.path("phantasma/mail/bob/received");
    let id = hex::encode(letter.id());
    let begun = Instant::now();
    loop {
        let text = fs::read_to_string(&log).unwrap_or_default();
        if let Some(line) = text.lines().find(|line| line.starts_with(&id)) {
            assert!(
                line.contains("refused: not paid; it costs 0.5 SOUL"),
                "{line}"
            );
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{}", bob.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_automatic_answer_comes_once_and_is_not_answered() {
    let world = World::new(0).await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    for user in [&ada, &bob] {
        user.json(&[
            "mail",
            "respond",
            "--text",
            &format!("{} is away", user.name),
        ]);
    }
    let (at_ada, at_bob) = (ada.serve(&[]), bob.serve(&[]));
    for subject in ["one", "two"] {
        ada.send(&at_ada, &bob.mail(), subject, &[]);
    }
    let got = ada.inbox(&at_ada, 1);
    assert_eq!(got[0]["text"], "bob is away\n");
    assert_eq!(got[0]["header"]["Auto-Submitted"], "auto-replied");
    assert_eq!(bob.inbox(&at_bob, 2).len(), 2);
    // Time for what must not come.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(ada.inbox(&at_ada, 1).len(), 1);
    assert_eq!(bob.inbox(&at_bob, 2).len(), 2);
    assert!(
        !ada.refusal(&["mail", "send", "--to", "bob@example.org", "--text", "x"])
            .is_empty()
    );
}
