//! What an operator says about replicas: the table `[replicas]`, and flags that begin with `--replicas-`.

use clap::Args;
use phantasma_wire::replicas::Policy;
use serde::Deserialize;

use super::Setup;

/// Settings of replicas; without `wanted` nothing is watched.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReplicaSettings {
    /// Nodes that should hold each block held here, this one among them; 0: nobody is watched [default: 0].
    #[arg(
        id = "replicas_wanted",
        value_name = "WANTED",
        long = "replicas-wanted",
        env = "PHANTASMA_PDFS_REPLICAS_WANTED"
    )]
    wanted: Option<usize>,
    /// Seconds between two questions to another holder; one that is silent for four times as long is gone [default: 15].
    #[arg(
        id = "replicas_ask_every_s",
        value_name = "ASK_EVERY_S",
        long = "replicas-ask-every-s",
        env = "PHANTASMA_PDFS_REPLICAS_ASK_EVERY_S"
    )]
    ask_every_s: Option<u64>,
}

impl ReplicaSettings {
    /// These settings, and `below` where they say nothing.
    pub(crate) fn or(self, below: Self) -> Self {
        Self {
            wanted: self.wanted.or(below.wanted),
            ask_every_s: self.ask_every_s.or(below.ask_every_s),
        }
    }

    /// What the watch works with, None when there shall be none.
    pub(crate) fn setup(&self) -> Option<Setup> {
        let wanted = self.wanted.filter(|wanted| *wanted > 0)?;
        let usual = Policy::default();
        let ask_every_ms = self.ask_every_s.map(|s| s.max(1).saturating_mul(1000));
        let ask_every_ms = ask_every_ms.unwrap_or(usual.ask_every_ms);
        // All times keep their proportion to the usual interval, so that no answer that is late counts as silence.
        let scaled = |ms: u64| ms.saturating_mul(ask_every_ms) / usual.ask_every_ms;
        Some(Setup {
            wanted,
            policy: Policy {
                ask_every_ms,
                gone_after_ms: scaled(usual.gone_after_ms),
                urgent_after_ms: scaled(usual.urgent_after_ms),
                avoid_ms: scaled(usual.avoid_ms),
                minimum: usual.minimum.min(wanted),
                surplus_after_ms: scaled(usual.surplus_after_ms),
                ..usual
            },
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_number_turns_the_watch_on_and_its_times_keep_their_proportion() {
        let setup = |text| toml::from_str::<ReplicaSettings>(text).unwrap().setup();
        assert!(setup("").is_none() && setup("wanted = 0").is_none());
        let usual = setup("wanted = 3").unwrap();
        assert_eq!((usual.wanted, usual.policy.gone_after_ms), (3, 60_000));
        let quick = setup("wanted = 1\nask_every_s = 3").unwrap().policy;
        assert_eq!(
            (quick.gone_after_ms, quick.urgent_after_ms),
            (12_000, 7_000)
        );
        assert_eq!((quick.minimum, quick.surplus_after_ms), (1, 180_000));
    }
}
