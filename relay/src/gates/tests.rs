#![allow(clippy::unwrap_used)]

use std::sync::atomic::Ordering;

use bytes::Bytes;
use phantasma_wire::message::Class;

use super::*;
use crate::testing::MemoryChain;

const TIMES: CacheTimes = CacheTimes {
    known: Duration::from_secs(3600),
    unknown: Duration::from_secs(2),
    gate: Duration::from_secs(60),
};

const CHAIN: ChainId = ChainId {
    network: 5,
    contract: [6; 20],
};

/// `STATE member`.
const MEMBERS: [u8; 2] = [0xEA, 8];
/// `PUSH5`, `PAY`, `OK`.
const FIVE_EACH: [u8; 3] = [0x15, 0xED, 0xE8];
/// `STATE content`, `SIZE`, `PUSH4`, `LE`: a script of at most four bytes.
const SHORT: [u8; 5] = [0xEA, 10, 0xCA, 0x14, 0xB6];

fn fixture() -> (Arc<MemoryChain>, Arc<Gates>) {
    let chain = Arc::new(MemoryChain::with_boxes([1, 2]));
    (chain.clone(), Arc::new(Gates::new(chain, CHAIN, TIMES)))
}

fn author(number: u8) -> PublicKey {
    let mut key = [number; 33];
    key[0] = 2;
    key
}

fn body(author: PublicKey, payload: &'static [u8]) -> Unsigned {
    Unsigned {
        network: CHAIN.network,
        contract: CHAIN.contract,
        author,
        box_id: 1,
        sequence: 1,
        time_ms: 0,
        class: Class::Durable,
        payload: Bytes::from_static(payload),
    }
}

async fn says(gates: &Gates, who: u8, now: Instant) -> Admission {
    let asked = gates.ask(&body(author(who), b"x"), 0, now).await;
    asked.unwrap().admission
}

/// Box 1 has the author on its list.
fn join(chain: &MemoryChain, who: u8) {
    let account = neo::PublicKey(author(who)).script_hash();
    chain.set_entry([&[0x1A, 1], &account.0[..]].concat(), &[1]);
}

fn reads(chain: &MemoryChain) -> u64 {
    chain.reads.load(Ordering::Relaxed)
}

fn refused() -> Admission {
    Admission::Refused {
        reason: "the gate refuses".to_owned(),
    }
}

#[tokio::test]
async fn a_gate_for_all_is_read_once_whoever_writes() {
    let (chain, gates) = fixture();
    let now = Instant::now();
    for who in 1..50 {
        assert_eq!(says(&gates, who, now).await, Admission::Free);
    }
    assert_eq!(reads(&chain), 1);
}

#[tokio::test]
async fn an_answer_holds_until_an_event_of_the_box() {
    let (chain, gates) = fixture();
    chain.set_gate(1, &MEMBERS);
    let now = Instant::now();
    gates.follows(Some(now));
    assert_eq!(says(&gates, 1, now).await, refused());
    join(&chain, 1);
    assert_eq!(says(&gates, 1, now).await, refused());
    gates.changed(&Change::Box(2));
    gates.changed(&Change::Other);
    assert_eq!(says(&gates, 1, now).await, refused());
    assert_eq!(reads(&chain), 2);
    gates.changed(&Change::Box(1));
    assert_eq!(says(&gates, 1, now).await, Admission::Free);
    assert_eq!(says(&gates, 2, now).await, refused());
    gates.changed(&Change::Missed);
    chain.set_gate(1, &FIVE_EACH);
    let price = Admission::Priced {
        price: 5,
        lasting: false,
    };
    assert_eq!(says(&gates, 1, now).await, price);
}

#[tokio::test]
async fn without_events_an_answer_holds_for_a_moment() {
    let (chain, gates) = fixture();
    chain.set_gate(1, &MEMBERS);
    let now = Instant::now();
    assert_eq!(says(&gates, 1, now).await, refused());
    join(&chain, 1);
    assert_eq!(says(&gates, 1, now + TIMES.unknown / 2).await, refused());
    let later = now + TIMES.unknown;
    assert_eq!(says(&gates, 1, later).await, Admission::Free);
    // When events come at last, what was asked before them may have changed unheard.
    gates.follows(Some(later + Duration::from_millis(1)));
    let before = reads(&chain);
    says(&gates, 1, later).await;
    assert!(reads(&chain) > before);
}

#[tokio::test]
async fn a_gate_that_looks_at_the_content_judges_each_message() {
    let (chain, gates) = fixture();
    chain.set_gate(1, &SHORT);
    let now = Instant::now();
    gates.follows(Some(now));
    for _ in 0..3 {
        let asked = gates.ask(&body(author(1), b"x"), 0, now).await.unwrap();
        let free = Told {
            admission: Admission::Free,
            holds: false,
        };
        assert_eq!(asked, free);
        let long = gates.ask(&body(author(1), b"too long"), 0, now).await;
        assert_eq!(long.unwrap().admission, refused());
    }
    assert_eq!(reads(&chain), 1);
    gates.changed(&Change::Other);
    says(&gates, 1, now).await;
    assert_eq!(reads(&chain), 2);
}

#[tokio::test]
async fn what_the_node_said_last_counts_while_it_is_silent() {
    let (chain, gates) = fixture();
    let now = Instant::now();
    assert_eq!(says(&gates, 1, now).await, Admission::Free);
    chain.fail(true);
    let later = now + TIMES.gate * 2;
    assert_eq!(says(&gates, 2, later).await, Admission::Free);
    gates.changed(&Change::Box(1));
    let asked = gates.ask(&body(author(1), b"x"), 0, later).await;
    assert!(matches!(asked, Err(ChainError::Unreachable(_))));
}

#[tokio::test]
async fn an_answer_that_was_under_way_during_an_event_is_not_remembered() {
    let (chain, gates) = fixture();
    chain.set_gate(1, &MEMBERS);
    let now = Instant::now();
    gates.follows(Some(now));
    let changing = async { gates.changed(&Change::Box(1)) };
    let (first, ()) = tokio::join!(says(&gates, 1, now), changing);
    assert_eq!(first, refused());
    join(&chain, 1);
    assert_eq!(says(&gates, 1, now).await, Admission::Free);
}

#[tokio::test]
async fn memory_is_bounded() {
    let (chain, gates) = fixture();
    chain.set_gate(1, &MEMBERS);
    let now = Instant::now();
    says(&gates, 1, now).await;
    let (facts, admission) = (Arc::new(Facts::default()), Admission::Free);
    let mut state = gates.lock();
    for number in 0..400_000_u64 {
        let mut of_other = body(author(1), b"x");
        of_other.box_id = number;
        state.put(
            &of_other,
            facts.clone(),
            Holds::ForAll,
            &admission,
            &TIMES,
            now,
        );
    }
    assert!(state.bytes <= MAX_BYTES, "{}", state.bytes);
    let counted: usize = state.boxes.values().map(Known::bytes).sum();
    assert_eq!(
        (state.bytes, state.boxes.len()),
        (counted, state.order.len())
    );
}

#[tokio::test]
async fn events_are_followed_and_opened_again() {
    let (chain, gates) = fixture();
    chain.set_gate(1, &MEMBERS);
    let stop = CancellationToken::new();
    let following = tokio::spawn(gates.clone().follow(stop.clone()));
    while gates.lock().followed.is_none() {
        tokio::task::yield_now().await;
    }
    let now = Instant::now();
    assert_eq!(says(&gates, 1, now).await, refused());
    join(&chain, 1);
    let told = gates.lock().told;
    chain.tell(Change::Box(1));
    while gates.lock().told == told {
        tokio::task::yield_now().await;
    }
    assert_eq!(says(&gates, 1, now).await, Admission::Free);
    chain.stop_telling();
    while gates.lock().followed.is_some() {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    following.await.unwrap();
}
