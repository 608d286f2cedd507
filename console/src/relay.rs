//! The relay's traffic: its own numbers (`/metrics` of its `--ops` address), looked at again and again.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::{App, lock, now_ms};

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(5);

/// A relay on this machine answers in milliseconds.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The longest answer that is read: a relay prints some 4 KiB.
const MAX_ANSWER: usize = 1 << 20;

/// Looks that are kept: an hour.
const KEPT: usize = 720;

/// What each relay prints before the name of a number.
const PREFIX: &str = "phantasma_relay_";

/// What has been seen so far.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    looks: VecDeque<Look>,
    error: Option<String>,
}

/// One look: every number by its name, the labels of a family as `name{label="value"}`.
#[derive(Debug)]
struct Look {
    time_ms: u64,
    numbers: BTreeMap<String, f64>,
}

impl Look {
    /// The sum over all labels.
    fn total(&self, name: &str) -> f64 {
        let of = |full: &str| full == name || full.split_once('{').is_some_and(|p| p.0 == name);
        let found = self.numbers.iter().filter(|(full, _)| of(full));
        // The sum of nothing is -0 for floats, which people need not see.
        found
            .map(|(_, value)| value)
            .fold(0.0, |sum, value| sum + value)
    }
}

/// Looks at the relay until the daemon stops.
pub(crate) async fn watch(app: App) {
    let Some(ops) = app.relay.as_ref().and_then(|relay| relay.ops.clone()) else {
        return;
    };
    let url = format!("{}/metrics", ops.trim_end_matches('/'));
    let client = match reqwest::Client::builder().timeout(TIMEOUT).build() {
        Ok(client) => client,
        Err(error) => {
            lock(&app.traffic).error = Some(error.to_string());
            return;
        }
    };
    loop {
        let looked = look(&client, &url).await;
        {
            let mut traffic = lock(&app.traffic);
            match looked {
                Ok(numbers) => {
                    traffic.error = None;
                    traffic.looks.push_back(Look {
                        time_ms: now_ms(),
                        numbers,
                    });
                    while traffic.looks.len() > KEPT {
                        traffic.looks.pop_front();
                    }
                }
                Err(error) => traffic.error = Some(error),
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = app.stop.cancelled() => return,
        }
    }
}

async fn look(client: &reqwest::Client, url: &str) -> Result<BTreeMap<String, f64>, String> {
    let failed = |error: reqwest::Error| format!("{url}: {}", error.without_url());
    let mut answer = client.get(url).send().await.map_err(failed)?;
    if !answer.status().is_success() {
        return Err(format!("{url} answers {}", answer.status()));
    }
    let mut text = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(failed)? {
        text.extend_from_slice(&piece);
        if text.len() > MAX_ANSWER {
            return Err(format!("{url} answers more than {MAX_ANSWER} bytes"));
        }
    }
    Ok(numbers(&String::from_utf8_lossy(&text)))
}

/// The relay's numbers in OpenMetrics text, without prefix and without `_total`.
fn numbers(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix(PREFIX)?.rsplit_once(' ')?;
        let (name, labels) = match name.split_once('{') {
            Some((name, labels)) => (name, format!("{{{labels}")),
            None => (name, String::new()),
        };
        let name = name.strip_suffix("_total").unwrap_or(name);
        Some((format!("{name}{labels}"), value.parse().ok()?))
    });
    lines.collect()
}

/// What the relay does, and did in the last hour.
pub(crate) async fn show(State(app): State<App>) -> Json<Value> {
    let traffic = lock(&app.traffic);
    let points: Vec<Value> = traffic
        .looks
        .iter()
        .map(|look| {
            json!({
                "time_ms": look.time_ms,
                "accepted": look.total("accepted"),
                "delivered": look.total("delivered"),
                "refused": look.total("refused"),
                "dropped": look.total("dropped"),
                "on_chain": look.total("on_chain"),
                "sessions": look.total("sessions"),
                "subscriptions": look.total("subscriptions"),
            })
        })
        .collect();
    let now = traffic.looks.back().map(|look| &look.numbers);
    Json(json!({
        "peer": app.relay.as_ref().and_then(|relay| relay.peer.clone()),
        "ops": app.relay.as_ref().and_then(|relay| relay.ops.clone()),
        "error": traffic.error,
        "now": now,
        "points": points,
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_relays_numbers_are_read_and_others_passed_over() {
        let text = "# HELP phantasma_relay_accepted Messages accepted, by class.\n\
                    # TYPE phantasma_relay_accepted counter\n\
                    phantasma_relay_accepted_total{class=\"durable\"} 3\n\
                    phantasma_relay_accepted_total{class=\"on_chain\"} 4\n\
                    phantasma_relay_sessions 2\n\
                    other_total 9\nphantasma_relay_odd x\n# EOF\n";
        let look = Look {
            time_ms: 0,
            numbers: numbers(text),
        };
        assert_eq!(look.numbers.len(), 3);
        assert_eq!(look.total("accepted"), 7.0);
        assert_eq!(look.total("sessions"), 2.0);
        assert_eq!(look.total("accept"), 0.0);
        assert_eq!(look.numbers["accepted{class=\"durable\"}"], 3.0);
    }
}
