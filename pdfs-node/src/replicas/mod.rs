//! Keeps what this node holds on enough nodes: asks the other holders whether they still hold it, and sends blocks to new
//! ones when too few do, or when a node has come that ranks before a holder.
//!
//! What is done when is decided by [`phantasma_wire::replicas::Watch`]; here are its eyes and hands, over the requests that
//! everybody uses: JOIN to learn of nodes, INFO to ask, UPLOAD to copy. The node that gets a copy asks the chain and checks
//! the block as it does with any other, so that nobody is trusted here.
//!
//! Nobody's word is taken for what it costs nothing to claim: holders show blocks from time to time (`trust`), and a copy
//! is deleted only when enough others have just given the block (`surplus`, and `evict` when the quota is reached). A block
//! that too many ask for goes to more nodes, and those who ask are sent there (`heat`).

pub mod config;
mod evict;
mod heat;
mod metrics;
mod round;
mod silent;
mod surplus;
mod trust;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use phantasma_sdk::pdfs::Client;
use phantasma_wire::replicas::Policy;
use tokio_util::sync::CancellationToken;

use crate::state::State;
pub(crate) use evict::Evicted;
pub(crate) use heat::Heat;
pub(crate) use metrics::ReplicaMetrics;
use round::Worker;

/// How many copies there shall be, and how fast a lost one is made good.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Holders that a block should have, this node among them.
    pub wanted: usize,
    pub policy: Policy,
}

/// Rounds until stopped. An error ends a round, not the node.
pub(crate) async fn run(setup: Setup, client: Client, state: Arc<State>, stop: CancellationToken) {
    let every = Duration::from_millis(setup.policy.ask_every_ms / 2);
    let too_long = every + Duration::from_millis(2 * setup.policy.ask_every_ms);
    let work = async {
        let begun = Instant::now();
        let mut worker = Worker::new(setup, client, state);
        loop {
            if let Err(error) = worker.round(ms(begun)).await {
                tracing::error!(%error, "the copies of what is held were not all looked at");
            }
            let before = Instant::now();
            tokio::time::sleep(every).await;
            // The machine slept, or the process was stopped.
            if before.elapsed() > too_long {
                worker.woke(ms(begun));
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
}

fn ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
