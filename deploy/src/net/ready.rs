//! Waiting for a node's first blocks.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::error::NetError;
use super::process;

/// Block 0 is the genesis; the height counts blocks, so 2 means that the validator has made one.
const BLOCKS_WHEN_READY: u64 = 2;

/// Beyond the block time itself. A node needs 100 ms on an idle machine; tests share theirs with compilers.
const START_TIMEOUT: Duration = Duration::from_secs(30);

const POLL: Duration = Duration::from_millis(20);

/// How many blocks the node has, genesis included.
pub(super) async fn block_count(client: &reqwest::Client, url: &str) -> Result<u64, NetError> {
    let failed = |reason: String| NetError::Rpc {
        url: url.to_owned(),
        reason,
    };
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "getblockcount", "params": []});
    let response = client
        .post(url)
        .json(&request)
        .send()
        .await
        .map_err(|e| failed(e.to_string()))?;
    let body: Value = response.json().await.map_err(|e| failed(e.to_string()))?;
    body["result"]
        .as_u64()
        .ok_or_else(|| failed(format!("no block count in {body}")))
}

/// A client for short calls to this machine, whatever proxy the environment names.
pub(super) fn local_client() -> Result<reqwest::Client, NetError> {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(2))
        .build()
        .map_err(|e| NetError::Rpc {
            url: "http://127.0.0.1".into(),
            reason: e.to_string(),
        })
}

/// Waits until blocks come. `died` gives the exit status once the node has ended.
pub(super) async fn wait(
    url: &str,
    block_time_ms: u32,
    log: &Path,
    mut died: impl FnMut() -> Option<String>,
) -> Result<(), NetError> {
    let client = local_client()?;
    let limit = START_TIMEOUT + 3 * Duration::from_millis(block_time_ms.into());
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = died() {
            return Err(NetError::NodeDied {
                status,
                log: log.to_path_buf(),
                tail: process::tail(log),
            });
        }
        // Not yet listening is the normal case here; what is wrong shows in the log.
        if block_count(&client, url)
            .await
            .is_ok_and(|count| count >= BLOCKS_WHEN_READY)
        {
            return Ok(());
        }
        if Instant::now() > deadline {
            let waited_s = limit.as_secs();
            return Err(NetError::NoBlocks {
                waited_s,
                log: log.to_path_buf(),
                tail: process::tail(log),
            });
        }
        tokio::time::sleep(POLL).await;
    }
}
