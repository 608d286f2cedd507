//! Looks for other relays of the same boxes in the distributed hash table, and says there that this is one.

use std::time::Duration;

use phantasma_net::Identity;
use phantasma_net::control::{self, ControlConfig, ControlError, ControlHandle};
use phantasma_wire::Hash;
use phantasma_wire::relay::relay_key;

use super::{FindSettings, PeerSettings, Shared};

/// Boxes that are told of in the table at most; the others' relays are found by the contract.
const MAX_TOLD: usize = 64;

/// How often others are looked for: soon after the start, then so that a new relay is linked within a minute.
const FIRST: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(20);

pub(super) async fn start(
    settings: &FindSettings,
    identity: &Identity,
    time_ms: u64,
) -> Result<ControlHandle, ControlError> {
    let config = ControlConfig {
        listen: settings.listen,
        bootstrap: settings.bootstrap.clone(),
        data_addr: Some(settings.public.clone()),
        time_ms,
    };
    let (control, _task) = control::start(config, identity).await?;
    Ok(control)
}

/// Until it is dropped.
pub(super) async fn run(control: ControlHandle, intake: Shared, settings: PeerSettings) {
    let chain = intake.chain_id;
    let of_contract = relay_key(chain.network, &chain.contract, None);
    let of_boxes = settings.boxes.iter().take(MAX_TOLD);
    let of_boxes: Vec<Hash> = of_boxes
        .map(|box_id| relay_key(chain.network, &chain.contract, Some(*box_id)))
        .collect();
    let own: Vec<Hash> = match of_boxes.is_empty() {
        true => vec![of_contract],
        false => of_boxes.clone(),
    };
    for key in own {
        if let Err(error) = control.provide(key).await {
            tracing::warn!(%error, "other relays do not find this one");
        }
    }
    let mut wait = FIRST;
    loop {
        tokio::time::sleep(wait).await;
        for key in of_boxes.iter().chain([&of_contract]) {
            look(&control, &intake, *key).await;
        }
        wait = (wait * 2).min(LATER);
    }
}

async fn look(control: &ControlHandle, intake: &Shared, key: Hash) {
    let found = match control.find_providers(key).await {
        Ok(found) => found,
        Err(error) => return tracing::debug!(%error, "no relays found"),
    };
    let links = &intake.links;
    let mut inner = links.lock();
    for relay in found {
        if relay.public_key != links.own_key {
            inner
                .book
                .found(relay.public_key, relay.data_addr, links.now_ms());
        }
    }
}
