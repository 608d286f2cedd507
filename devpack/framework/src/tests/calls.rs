//! Calls between contracts: witnesses, flags, faults, limits.

use crate::chain::{Chain, Outcome, Scope, Signer};
use crate::hash::Hash160;
use crate::item::Item;
use crate::{Any, array, contracts, int, text};

/// Calls what it is told to, so that a test can build any chain of calls.
#[neo_framework::contract(name = "Relay", permissions = "*")]
mod relay {
    use crate::prelude::*;

    #[event]
    fn ping(n: Int) {}

    #[method]
    pub fn forward(to: Hash160, method: Text, flags: Int, args: Array<Any>) -> Any {
        contracts::call(&to, &method, flags, args)
    }

    #[method(safe)]
    pub fn forward_safely(to: Hash160, method: Text, args: Array<Any>) -> Any {
        contracts::call(&to, &method, contracts::ALL, args)
    }

    #[method]
    pub fn witness(account: Hash160) -> bool {
        runtime::check_witness(&account)
    }

    #[method]
    pub fn hashes() -> Array<Any> {
        array![
            runtime::calling_script_hash().into_any(),
            runtime::executing_script_hash().into_any(),
            runtime::invocation_counter().into_any(),
        ]
    }

    #[method]
    pub fn write(key: Bytes) {
        storage::put(&key, &bytes(b"1"));
    }

    #[method(safe)]
    pub fn write_safely(key: Bytes) {
        storage::put(&key, &bytes(b"1"));
    }

    #[method]
    pub fn emit(count: Int) {
        let mut n = int(0);
        while n < count {
            ping(n);
            n += 1;
        }
    }

    #[method]
    pub fn push_then_call(to: Hash160) -> Int {
        eval::push(7);
        let seen = contracts::call(&to, &text("depth"), contracts::ALL, Array::new()).as_int();
        let own = eval::depth();
        eval::drop();
        seen * 10 + own
    }

    #[method]
    pub fn depth() -> Int {
        eval::depth()
    }

    #[method]
    pub fn endless(to: Hash160) {
        contracts::call(
            &to,
            &text("endless"),
            contracts::ALL,
            array![to.clone().into_any()],
        );
    }

    #[method]
    pub fn times() -> Array<Any> {
        array![
            runtime::time().into_any(),
            ledger::current_index().into_any(),
            runtime::network().into_any()
        ]
    }

    #[method]
    pub fn dice() -> Int {
        runtime::random()
    }
}

/// Has no permissions.
#[neo_framework::contract(name = "Hermit")]
mod hermit {
    use crate::prelude::*;

    #[method]
    pub fn reach(to: Hash160, method: Text, args: Array<Any>) -> Any {
        contracts::call(&to, &method, contracts::ALL, args)
    }
}

const A: Hash160 = crate::hash160(&[0xa; 20]);
const B: Hash160 = crate::hash160(&[0xb; 20]);
const C: Hash160 = crate::hash160(&[0xc; 20]);
const READ_ONLY: i64 = crate::contracts::READ_ONLY;
const ALL: i64 = crate::contracts::ALL;

fn chain() -> Chain {
    let chain = Chain::new();
    chain.register(&A, relay::CONTRACT);
    chain.register(&B, relay::CONTRACT);
    chain.register(&C, hermit::CONTRACT);
    chain
}

fn hash(hash: &Hash160) -> Item {
    Item::ByteString(hash.as_bytes())
}

/// A calls B's method.
fn through_a(
    chain: &Chain,
    signers: &[Signer],
    method: &str,
    flags: i64,
    args: Vec<Item>,
) -> Outcome {
    let args = vec![
        hash(&B),
        Item::text(method),
        Item::integer(flags),
        Item::array(args),
    ];
    chain.invoke(signers, &A, "forward", args)
}

#[test]
fn a_witness_reaches_as_far_as_its_scope() {
    let chain = chain();
    let alice = chain.account("alice").hash;
    let witness = |scope: Scope| {
        let signers = [Signer {
            account: alice.clone(),
            scope,
        }];
        let direct = chain
            .invoke(&signers, &A, "witness", vec![hash(&alice)])
            .result();
        let deeper = through_a(&chain, &signers, "witness", ALL, vec![hash(&alice)]).result();
        (direct == Item::Boolean(true), deeper == Item::Boolean(true))
    };
    assert_eq!(witness(Scope::None), (false, false));
    assert_eq!(witness(Scope::CalledByEntry), (true, false));
    assert_eq!(witness(Scope::Global), (true, true));
    assert_eq!(witness(Scope::CustomContracts(vec![B])), (false, true));
    assert_eq!(witness(Scope::EntryAndContracts(vec![B])), (true, true));
}

#[test]
fn a_caller_is_a_witness_for_itself_but_not_further() {
    let chain = chain();
    assert_eq!(
        through_a(&chain, &[], "witness", ALL, vec![hash(&A)]).result(),
        Item::Boolean(true)
    );
    assert_eq!(
        through_a(&chain, &[], "witness", ALL, vec![hash(&B)]).result(),
        Item::Boolean(false)
    );
    assert_eq!(
        chain
            .invoke(&[], &A, "witness", vec![hash(&Hash160::zero())])
            .result(),
        Item::Boolean(false)
    );
}

#[test]
fn a_contract_knows_who_called_it() {
    let result = through_a(&chain(), &[], "hashes", ALL, vec![]).result();
    assert_eq!(
        result,
        Item::array(vec![hash(&A), hash(&B), Item::integer(1)])
    );
}

#[test]
fn missing_contracts_methods_and_arguments_are_faults() {
    let chain = chain();
    let fault = |contract: &Hash160, method: &str, args| {
        chain
            .invoke(&[], contract, method, args)
            .fault()
            .to_string()
    };
    assert!(fault(&Hash160::zero(), "depth", vec![]).ends_with("not found"));
    assert_eq!(fault(&A, "missing", vec![]), "method not found: missing/0");
    assert_eq!(
        fault(&A, "depth", vec![Item::Null]),
        "method not found: depth/1"
    );
    assert_eq!(
        fault(&A, "_deploy", vec![]),
        "invalid method name (starts with '_'): _deploy"
    );
    assert_eq!(
        through_a(&chain, &[], "depth", 16, vec![]).fault(),
        "call flags out of range: 16"
    );
}

#[test]
fn flags_only_shrink_along_the_calls() {
    let chain = chain();
    let key = || vec![Item::bytes(b"k")];
    assert!(through_a(&chain, &[], "write", ALL, key()).is_halt());
    assert!(
        through_a(&chain, &[], "write", READ_ONLY, key())
            .fault()
            .contains("missing call flags")
    );
    assert!(
        through_a(&chain, &[], "emit", READ_ONLY, vec![Item::integer(1)])
            .fault()
            .contains("missing call flags")
    );
    // A safe method cannot lend what it has lost.
    let args = vec![hash(&B), Item::text("write"), Item::array(key())];
    assert!(
        chain
            .invoke(&[], &A, "forwardSafely", args)
            .fault()
            .contains("missing call flags")
    );
    assert!(
        chain
            .invoke(&[], &A, "writeSafely", key())
            .fault()
            .contains("missing call flags")
    );
    // Without the flags to read and call there is no call at all.
    assert!(
        through_a(
            &chain,
            &[],
            "forward",
            1,
            vec![
                hash(&B),
                Item::text("depth"),
                Item::integer(1),
                Item::array(vec![])
            ]
        )
        .fault()
        .contains("missing call flags")
    );
}

#[test]
fn without_permission_only_safe_methods_can_be_called() {
    let chain = chain();
    let reach = |method: &str, args: Vec<Item>| {
        chain.invoke(
            &[],
            &C,
            "reach",
            vec![hash(&A), Item::text(method), Item::array(args)],
        )
    };
    assert!(
        reach("depth", vec![])
            .fault()
            .starts_with("disallowed method call")
    );
    let nested = vec![
        hash(&A),
        Item::text("writeSafely"),
        Item::array(vec![Item::bytes(b"k")]),
    ];
    assert!(
        reach("forwardSafely", nested)
            .fault()
            .contains("missing call flags")
    );
}

#[test]
fn a_fault_below_undoes_the_writes_above() {
    let chain = chain();
    let outcome = chain.run_as(&[], &A, || {
        crate::storage::put(&crate::bytes(b"above"), &crate::bytes(b"1"));
        crate::contracts::call(&B, &crate::text("missing"), ALL, crate::Array::new())
    });
    assert!(!outcome.is_halt());
    assert!(chain.storage(&A).is_empty());
}

#[test]
fn a_callee_has_an_evaluation_stack_of_its_own() {
    let result = chain().invoke(&[], &A, "pushThenCall", vec![hash(&B)]);
    assert_eq!(result.result(), Item::integer(1));
}

#[test]
fn a_result_of_nothing_is_null() {
    assert_eq!(
        chain()
            .invoke(&[], &A, "emit", vec![Item::integer(0)])
            .result(),
        Item::Null
    );
}

#[test]
fn there_are_at_most_512_events() {
    let chain = chain();
    let emit = |count| chain.invoke(&[], &A, "emit", vec![Item::integer(count)]);
    assert_eq!(emit(512).events.len(), 512);
    assert_eq!(emit(513).fault(), "more than 512 notifications");
}

#[test]
fn an_event_has_at_most_1024_bytes() {
    let chain = chain();
    let notify = |name: &'static str, length: usize| {
        chain.run_as(&[], &A, || {
            crate::runtime::notify(name, vec![Item::bytes(&vec![0; length])])
        })
    };
    // Array 2 bytes, ByteString 1 and its length 3.
    assert!(notify("event", 1018).is_halt());
    assert!(!notify("event", 1019).is_halt());
    assert!(notify("an event of exactly 32 bytes ...", 1).is_halt());
    assert!(!notify("an event of exactly 33 bytes ....", 1).is_halt());
}

#[test]
fn an_event_keeps_its_arguments_as_they_were() {
    let outcome = chain().run_as(&[], &A, || {
        let buffer = Item::buffer(vec![1]);
        crate::runtime::notify("event", vec![buffer.clone()]);
        if let Item::Buffer(bytes) = &buffer {
            bytes.borrow_mut()[0] = 2;
        }
    });
    assert_eq!(outcome.events[0].args, [Item::buffer(vec![1])]);
}

#[test]
fn endless_recursion_is_a_fault() {
    let outcome = chain().invoke(&[], &A, "endless", vec![hash(&A)]);
    assert!(
        outcome.fault().contains("invocation stack"),
        "{}",
        outcome.fault()
    );
}

#[test]
fn the_clock_and_the_height_are_the_tests() {
    let chain = chain();
    chain.set_time(1000);
    chain.set_block_index(9);
    chain.set_network(77);
    chain.advance(500);
    let expected = [1500, 10, 77].map(Item::integer).to_vec();
    assert_eq!(
        chain.invoke(&[], &A, "times", vec![]).result(),
        Item::array(expected)
    );
}

#[test]
fn random_numbers_follow_from_the_seed() {
    let roll = |seed| {
        let chain = chain();
        chain.set_seed(seed);
        let roll = || chain.invoke(&[], &A, "dice", vec![]).result();
        (roll(), roll())
    };
    assert_eq!(roll(1), roll(1));
    assert_ne!(roll(1), roll(2));
    assert_ne!(roll(1).0, roll(1).1);
}

#[test]
fn contract_code_cannot_start_a_transaction() {
    let chain = chain();
    let outcome = chain.run_as(&[], &A, || drop(chain.invoke(&[], &A, "depth", vec![])));
    assert!(outcome.fault().contains("an invocation is running"));
    assert!(chain.invoke(&[], &A, "depth", vec![]).is_halt());
}

#[test]
fn contract_code_outside_of_a_chain_says_what_to_do() {
    let result = std::panic::catch_unwind(crate::runtime::time);
    let payload = result.unwrap_err();
    let message = payload.downcast_ref::<String>().unwrap();
    assert!(message.contains("Chain::invoke"), "{message}");
}

#[test]
fn an_entry_script_calls_more_than_once_and_fails_as_one() {
    let chain = Chain::new();
    let gas = crate::gas_token::HASH;
    let (alice, bob) = (chain.account("alice"), chain.account("bob"));
    chain.set_gas(&alice.hash, 10);
    let pay = |amount: i64| {
        let args = array![
            Any::from(alice.hash.clone()),
            Any::from(bob.hash.clone()),
            Any::from(amount),
            Any::null()
        ];
        contracts::call(&gas, &text("transfer"), contracts::ALL, args)
    };
    let twice = chain.run_script(&[alice.signer()], || {
        let first = pay(3);
        (first, pay(4))
    });
    assert_eq!(
        twice.result(),
        Item::structure(vec![Item::Boolean(true), Item::Boolean(true)])
    );
    assert_eq!(chain.gas_of(&bob.hash), 7);
    let failed = chain.run_script(&[alice.signer()], || {
        let _ = pay(3);
        assert!(pay(9).as_bool(), "the second payment");
    });
    assert_eq!(failed.fault(), "the second payment");
    assert_eq!(chain.gas_of(&bob.hash), 7);
}

#[test]
fn known_random_numbers_come_first() {
    let chain = Chain::new();
    chain.set_random_numbers(vec![int(5), int(6)]);
    for _ in 0..2 {
        let drawn = chain.run_script(&[], || {
            let (a, b) = (crate::runtime::random(), crate::runtime::random());
            (a, b, crate::runtime::random())
        });
        let Item::Struct(cells) = drawn.result() else {
            unreachable!()
        };
        assert_eq!(cells.borrow()[..2], [Item::integer(5), Item::integer(6)]);
        assert_ne!(cells.borrow()[2], Item::integer(6));
    }
}
