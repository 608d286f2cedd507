//! JSON-RPC of a Neo N3 node over HTTP: bounded in time and size, answers typed.

mod error;
mod history;
mod methods;
mod types;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

pub use error::{RpcError, codes};
pub use methods::InvokeError;
pub use types::{
    ApplicationLog, Balance, BlockHeader, ContractState, Execution, FoundStorage, InvokeResult,
    Notification, StorageEntry, TransactionInfo, Transfer, Transfers, Version, VmState,
};

/// One answer. A public node limits a call to far less; a block of the largest size is under 5 MiB of JSON.
const MAX_ANSWER: usize = 32 << 20;
/// A node on another continent connects in under a second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The heaviest call allowed (15 GAS of test invocation) takes about a second.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);
/// Bytes of an error page worth showing.
const MAX_SHOWN: usize = 300;

/// A connection to one node. Cheap to clone; clones share sockets.
#[derive(Clone, Debug)]
pub struct RpcClient {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    url: String,
    http: reqwest::Client,
    timeout: Duration,
    next_id: AtomicU64,
    version: OnceCell<Version>,
}

impl RpcClient {
    /// A client for `url`, such as `http://127.0.0.1:10332`. Nothing is sent yet; a bad URL shows at the first call.
    pub fn new(url: impl Into<String>) -> Self {
        Self::with_timeout(url, DEFAULT_TIMEOUT)
    }

    /// With a limit of time for each call.
    pub fn with_timeout(url: impl Into<String>, timeout: Duration) -> Self {
        // Building fails only without any TLS back end, which is compiled in.
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .build();
        let inner = Inner {
            url: url.into(),
            http: http.unwrap_or_default(),
            timeout,
            next_id: AtomicU64::new(1),
            version: OnceCell::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// Calls any method, also one this client has no function for.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, RpcError> {
        let result = self.call_json(method, params).await?;
        serde_json::from_value(result).map_err(|e| RpcError::Answer {
            url: self.inner.url.clone(),
            method: method.to_owned(),
            reason: e.to_string(),
        })
    }

    /// What the node says of itself, asked once.
    pub async fn version(&self) -> Result<&Version, RpcError> {
        self.inner
            .version
            .get_or_try_init(|| self.get_version())
            .await
    }

    async fn call_json(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let id = self.inner.next_id.fetch_add(1, Ordering::Relaxed);
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let answer = self.exchange(method, &request).await?;
        let bad = |reason: String| RpcError::Answer {
            url: self.inner.url.clone(),
            method: method.to_owned(),
            reason,
        };
        let mut answer: Value = serde_json::from_slice(&answer).map_err(|e| bad(e.to_string()))?;
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            return Err(RpcError::of_node(method, error));
        }
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(bad("neither a result nor an error in it".to_owned())),
        }
    }

    /// Sends one request and reads the answer up to its bound.
    async fn exchange(&self, method: &str, request: &Value) -> Result<Vec<u8>, RpcError> {
        let failed = |error: reqwest::Error| self.failed(method, &error);
        tracing::trace!(method, url = self.inner.url, "JSON-RPC call");
        let mut response = self
            .inner
            .http
            .post(&self.inner.url)
            .json(request)
            .send()
            .await
            .map_err(failed)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                let (url, method) = (self.inner.url.clone(), method.to_owned());
                return Err(RpcError::TooLong {
                    url,
                    method,
                    max: MAX_ANSWER,
                });
            }
            body.extend_from_slice(&chunk);
        }
        // Nodes answer errors of their own with other statuses too; only a body that is no JSON-RPC is the server's.
        if status.is_success() || body.starts_with(b"{\"jsonrpc\"") || body.starts_with(b"{\"id\"")
        {
            return Ok(body);
        }
        let body = String::from_utf8_lossy(&body[..body.len().min(MAX_SHOWN)]).into_owned();
        Err(RpcError::Http {
            url: self.inner.url.clone(),
            method: method.to_owned(),
            status: status.as_u16(),
            body,
        })
    }

    fn failed(&self, method: &str, error: &reqwest::Error) -> RpcError {
        let (url, method) = (self.inner.url.clone(), method.to_owned());
        if error.is_builder() {
            RpcError::Url {
                url,
                reason: root_cause(error),
            }
        } else if error.is_timeout() && !error.is_connect() {
            RpcError::Timeout {
                url,
                method,
                after: self.inner.timeout,
            }
        } else {
            RpcError::Unreachable {
                url,
                method,
                reason: root_cause(error),
            }
        }
    }
}

/// The innermost error: "Connection refused" instead of "error sending request".
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// A server that gives every connection the same answer.
    async fn server(answer: impl Into<String>) -> RpcClient {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = answer.into();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let _ = socket.read(&mut [0; 4096]).await;
                let _ = socket.write_all(answer.as_bytes()).await;
                if answer.is_empty() {
                    std::future::pending::<()>().await;
                }
            }
        });
        RpcClient::with_timeout(url, Duration::from_millis(400))
    }

    fn http(status: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    #[tokio::test]
    async fn an_endpoint_that_is_down_says_where_and_what_to_do() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let error = RpcClient::new(url.clone())
            .get_block_count()
            .await
            .unwrap_err();
        assert!(matches!(error, RpcError::Unreachable { .. }), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains(&url) && text.contains("refused") && text.contains("running"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_text_that_is_no_url_is_named() {
        let error = RpcClient::new("not a url")
            .get_block_count()
            .await
            .unwrap_err();
        assert!(
            matches!(&error, RpcError::Url { url, .. } if url == "not a url"),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn a_node_that_does_not_answer_times_out() {
        let error = server("").await.get_block_count().await.unwrap_err();
        assert!(matches!(error, RpcError::Timeout { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn a_status_of_a_proxy_is_shown_with_its_page() {
        let error = server(http("502 Bad Gateway", "<h1>no node here</h1>"))
            .await
            .get_block_count()
            .await
            .unwrap_err();
        assert!(
            matches!(&error, RpcError::Http { status: 502, body, .. } if body.contains("no node here")),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn an_error_of_the_node_keeps_code_text_and_data() {
        let body = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-102,"message":"Unknown contract","data":"x"}}"#;
        let error = server(http("200 OK", body))
            .await
            .get_block_count()
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some(codes::UNKNOWN_CONTRACT));
        assert!(error.to_string().contains("Unknown contract"), "{error}");
    }

    #[tokio::test]
    async fn an_answer_of_another_shape_is_refused() {
        for body in ["", "[]", "{}", "{\"result\":\"many\"}", "<html>"] {
            let error = server(http("200 OK", body))
                .await
                .get_block_count()
                .await
                .unwrap_err();
            assert!(
                matches!(error, RpcError::Answer { .. }),
                "{body}: {error:?}"
            );
        }
    }
}
