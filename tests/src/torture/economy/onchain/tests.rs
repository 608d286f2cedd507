//! That a difference between the two sides is found, whatever it is in.

use super::super::steps::SoulStep;
use super::*;

const SEED: u64 = 11;

fn give(amount: i64) -> Step {
    Step::Soul {
        signer: super::super::OWNER,
        step: SoulStep::Transfer {
            from: super::super::OWNER,
            to: 0,
            amount,
        },
    }
}

/// One call natively, and perhaps another one on the node.
async fn call(both: &mut Both<'_>, sequence: &mut Sequence<'_>, natively: Step, on_node: Step) {
    let run = &mut sequence.run;
    let act = both.cast.act(&on_node, &run.model, &run.world.place);
    let (_, native) = run.perform(&natively).expect("no invariant breaks");
    let transaction = both.transaction(&act, &sequence.three);
    sequence.waiting.push(Sent {
        step: natively,
        transaction: transaction.expect("a call"),
        native: native.expect("a call"),
    });
}

#[tokio::test]
async fn another_call_another_time_or_another_entry_is_found() {
    let cast = Cast::new();
    let mut both = Both::start(&cast).await;
    let mut sequence = both.begin(0, SEED).await.expect("a sequence");
    call(&mut both, &mut sequence, give(500), give(500)).await;
    assert_eq!(both.flush(&mut sequence).await, Ok(()));
    assert_eq!((both.halts, both.faults, both.blocks), (1, 0, 1));

    // An entry more, natively.
    sequence.run.stored[1].insert(vec![0x77], vec![1]);
    let found = both.compare_state(&sequence, &[]).await.unwrap_err();
    assert!(found.contains("the storage of the sale differs"), "{found}");
    sequence.run.stored[1].remove(&[0x77][..]);

    // An event and a balance.
    let wait = Step::Wait { ms: 5, blocks: 2 };
    sequence.run.step(&wait).expect("time passes");
    call(&mut both, &mut sequence, give(1), give(2)).await;
    let found = both.flush(&mut sequence).await.unwrap_err();
    assert!(found.contains("events: "), "{found}");

    // A refusal.
    let mut sequence = both.begin(1, SEED).await.expect("a sequence");
    let too_much = give(i64::MAX);
    call(&mut both, &mut sequence, give(1), too_much).await;
    let found = both.flush(&mut sequence).await.unwrap_err();
    assert!(found.contains("gives something else"), "{found}");

    // The time that a content is registered at.
    let mut sequence = both.begin(2, SEED).await.expect("a sequence");
    let step = SoulStep::Create {
        actor: super::super::OWNER,
        content: 0,
        periods: 1,
    };
    let signer = super::super::OWNER;
    let create = Step::Soul { signer, step };
    call(&mut both, &mut sequence, create, create).await;
    sequence.run.model.time += 1;
    let found = both.flush(&mut sequence).await.unwrap_err();
    assert!(found.contains("events: "), "{found}");
}
