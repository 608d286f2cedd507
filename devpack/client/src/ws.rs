//! Events of a node as they happen, over WebSocket. Reconnecting is the caller's decision.

use std::{collections::VecDeque, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use crate::{
    Hash160, Hash256, Notification, RpcError, VmState,
    rpc::{BlockHeader, Execution},
};

/// One event: a block of the largest size is under 5 MiB of JSON.
const MAX_EVENT: usize = 16 << 20;
/// Opening the connection, and the answer to a `subscribe`.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Events that arrive while a `subscribe` is answered.
const MAX_EARLY: usize = 1024;

/// What to be told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Every block.
    Blocks,
    /// Events of contracts: of one contract, of one name, or all.
    Notifications {
        contract: Option<Hash160>,
        name: Option<String>,
    },
    /// Transactions that ran: in one state, one transaction, or all.
    Executions {
        state: Option<VmState>,
        txid: Option<Hash256>,
    },
}

impl Filter {
    /// Events of one contract.
    pub fn contract(contract: Hash160) -> Self {
        Self::Notifications {
            contract: Some(contract),
            name: None,
        }
    }

    fn params(&self) -> Value {
        let mut filter = serde_json::Map::new();
        let stream = match self {
            Self::Blocks => return json!(["block_added"]),
            Self::Notifications { contract, name } => {
                contract
                    .iter()
                    .for_each(|hash| drop(filter.insert("contract".into(), json!(hash))));
                name.iter()
                    .for_each(|name| drop(filter.insert("name".into(), json!(name))));
                "notification_from_execution"
            }
            Self::Executions { state, txid } => {
                let name = |state: &VmState| {
                    if *state == VmState::Halt {
                        "HALT"
                    } else {
                        "FAULT"
                    }
                };
                state
                    .iter()
                    .for_each(|state| drop(filter.insert("state".into(), json!(name(state)))));
                txid.iter()
                    .for_each(|txid| drop(filter.insert("container".into(), json!(txid))));
                "transaction_executed"
            }
        };
        if filter.is_empty() {
            json!([stream])
        } else {
            json!([stream, filter])
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Block(BlockHeader),
    /// A contract's event, and the transaction or block it comes from.
    Notification {
        notification: Notification,
        container: Option<Hash256>,
    },
    Execution(Execution),
    /// The node could not keep up and left out events: read the state anew.
    Missed,
}

/// Why there are no (more) events.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    #[error("cannot open {url}: {reason}; is the node running, with WebSocket on its RPC port?")]
    Connect { url: String, reason: String },
    #[error("{url} did not answer within {TIMEOUT:?}")]
    Timeout { url: String },
    #[error(
        "the connection to {url} was lost ({reason}); events in between are missed: subscribe again and read the state anew"
    )]
    Lost { url: String, reason: String },
    #[error(transparent)]
    Refused(#[from] RpcError),
    #[error("cannot understand an event of {url}: {reason}")]
    Event { url: String, reason: String },
}

/// A connection that brings the events of its filters.
#[derive(Debug)]
pub struct Subscription {
    url: String,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Came before all filters were answered.
    early: VecDeque<Event>,
}

impl Subscription {
    /// Connects and asks for the events of all `filters`. `url` is the node's HTTP address, or its `ws://.../ws`.
    pub async fn open(url: &str, filters: &[Filter]) -> Result<Self, SubscriptionError> {
        let url = socket_url(url);
        let failed = |reason: String| SubscriptionError::Connect {
            url: url.clone(),
            reason,
        };
        let mut config = WebSocketConfig::default();
        config.max_message_size = Some(MAX_EVENT);
        config.max_frame_size = Some(MAX_EVENT);
        let connecting = connect_async_with_config(url.as_str(), Some(config), true);
        let (socket, _) = tokio::time::timeout(TIMEOUT, connecting)
            .await
            .map_err(|_| SubscriptionError::Timeout { url: url.clone() })?
            .map_err(|e| failed(e.to_string()))?;
        let mut subscription = Self {
            url,
            socket,
            early: VecDeque::new(),
        };
        for (id, filter) in filters.iter().enumerate() {
            let asked = tokio::time::timeout(TIMEOUT, subscription.subscribe(id, filter)).await;
            asked.map_err(|_| SubscriptionError::Timeout {
                url: subscription.url.clone(),
            })??;
        }
        Ok(subscription)
    }

    /// The next event; waits as long as it takes. After an error the subscription is over.
    pub async fn next(&mut self) -> Result<Event, SubscriptionError> {
        if let Some(event) = self.early.pop_front() {
            return Ok(event);
        }
        loop {
            let message = self.receive().await?;
            if let Some(event) = self.event(&message)? {
                return Ok(event);
            }
        }
    }

    /// Says good-bye to the node.
    pub async fn close(mut self) {
        // A connection that is gone already is closed, too.
        let _ = self.socket.close(None).await;
    }

    async fn subscribe(&mut self, id: usize, filter: &Filter) -> Result<(), SubscriptionError> {
        let request = json!({"jsonrpc": "2.0", "id": id + 1, "method": "subscribe", "params": filter.params()});
        let sent = self.socket.send(Message::text(request.to_string())).await;
        sent.map_err(|e| self.lost(e.to_string()))?;
        loop {
            let message = self.receive().await?;
            if let Some(error) = message.get("error").filter(|error| !error.is_null()) {
                return Err(RpcError::of_node("subscribe", error).into());
            }
            if message.get("result").is_some_and(Value::is_string) {
                return Ok(());
            }
            if let Some(event) = self.event(&message)? {
                if self.early.len() == MAX_EARLY {
                    self.early.clear();
                    self.early.push_back(Event::Missed);
                }
                self.early.push_back(event);
            }
        }
    }

    /// The next JSON message. Pings are answered by the library.
    async fn receive(&mut self) -> Result<Value, SubscriptionError> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    return serde_json::from_str(&text).map_err(|e| self.bad(e.to_string()));
                }
                Some(Ok(Message::Close(frame))) => {
                    let reason = frame.map(|frame| frame.to_string());
                    return Err(
                        self.lost(reason.unwrap_or_else(|| "closed by the node".to_owned()))
                    );
                }
                Some(Ok(
                    Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_),
                )) => {}
                Some(Err(error)) => return Err(self.lost(error.to_string())),
                None => return Err(self.lost("closed".to_owned())),
            }
        }
    }

    fn event(&self, message: &Value) -> Result<Option<Event>, SubscriptionError> {
        let Some(method) = message.get("method").and_then(Value::as_str) else {
            return Ok(None);
        };
        let content = message.pointer("/params/0").cloned().unwrap_or(Value::Null);
        parse(method, content).map_err(|e| self.bad(e.to_string()))
    }

    fn lost(&self, reason: String) -> SubscriptionError {
        SubscriptionError::Lost {
            url: self.url.clone(),
            reason,
        }
    }

    fn bad(&self, reason: String) -> SubscriptionError {
        SubscriptionError::Event {
            url: self.url.clone(),
            reason,
        }
    }
}

/// None for a stream that was not asked for.
fn parse(method: &str, content: Value) -> Result<Option<Event>, serde_json::Error> {
    Ok(Some(match method {
        "block_added" => Event::Block(serde_json::from_value(content)?),
        "notification_from_execution" => {
            let container = content
                .get("container")
                .cloned()
                .map(serde_json::from_value)
                .transpose()?;
            Event::Notification {
                notification: serde_json::from_value(content)?,
                container,
            }
        }
        "transaction_executed" => Event::Execution(serde_json::from_value(content)?),
        "missed_event" => Event::Missed,
        _ => return Ok(None),
    }))
}

/// A node's WebSocket address from its HTTP address.
fn socket_url(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some(("http", rest)) => ("ws", rest),
        Some(("https", rest)) => ("wss", rest),
        _ => return url.to_owned(),
    };
    format!("{scheme}://{}/ws", rest.trim_end_matches('/'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::net::TcpListener;
    use tokio_tungstenite::accept_async;

    use super::*;

    /// A node that answers each `subscribe` with `answer`, then sends `events` and hangs up.
    async fn node(answer: &'static str, events: &'static [&'static str]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            let mut socket = accept_async(socket).await.unwrap();
            socket.next().await.unwrap().unwrap();
            for text in [answer].iter().chain(events) {
                socket.send(Message::text(*text)).await.unwrap();
            }
        });
        url
    }

    #[test]
    fn the_address_of_a_node_gives_its_socket() {
        assert_eq!(
            socket_url("http://127.0.0.1:10332/"),
            "ws://127.0.0.1:10332/ws"
        );
        assert_eq!(
            socket_url("https://node.example:10331"),
            "wss://node.example:10331/ws"
        );
        assert_eq!(
            socket_url("ws://127.0.0.1:10332/ws"),
            "ws://127.0.0.1:10332/ws"
        );
    }

    #[test]
    fn filters_are_written_as_neo_go_reads_them() {
        assert_eq!(Filter::Blocks.params(), json!(["block_added"]));
        let all = Filter::Executions {
            state: None,
            txid: None,
        };
        assert_eq!(all.params(), json!(["transaction_executed"]));
        let failed = Filter::Executions {
            state: Some(VmState::Fault),
            txid: None,
        };
        assert_eq!(
            failed.params(),
            json!(["transaction_executed", {"state": "FAULT"}])
        );
        let named = Filter::Notifications {
            contract: Some(Hash160::ZERO),
            name: Some("Transfer".into()),
        };
        let expected = json!({"contract": Hash160::ZERO.to_string(), "name": "Transfer"});
        assert_eq!(
            named.params(),
            json!(["notification_from_execution", expected])
        );
    }

    #[tokio::test]
    async fn a_lost_connection_is_an_error_that_says_what_to_do() {
        let url = node(
            r#"{"id":1,"result":"7"}"#,
            &[r#"{"method":"missed_event","params":[]}"#],
        )
        .await;
        let mut events = Subscription::open(&url, &[Filter::Blocks]).await.unwrap();
        assert_eq!(events.next().await.unwrap(), Event::Missed);
        let error = events.next().await.unwrap_err();
        assert!(matches!(error, SubscriptionError::Lost { .. }), "{error:?}");
        assert!(error.to_string().contains("subscribe again"), "{error}");
    }

    #[tokio::test]
    async fn a_refused_filter_an_odd_event_and_no_node_are_told_apart() {
        let url = node(
            r#"{"id":1,"error":{"code":-32602,"message":"Invalid params"}}"#,
            &[],
        )
        .await;
        let refused = Subscription::open(&url, &[Filter::Blocks])
            .await
            .unwrap_err();
        assert!(
            matches!(&refused, SubscriptionError::Refused(e) if e.code() == Some(-32602)),
            "{refused:?}"
        );
        let url = node(
            r#"{"id":1,"result":"7"}"#,
            &[r#"{"method":"block_added","params":[{"hash":5}]}"#],
        )
        .await;
        let mut events = Subscription::open(&url, &[Filter::Blocks]).await.unwrap();
        assert!(matches!(
            events.next().await,
            Err(SubscriptionError::Event { .. })
        ));
        let down = Subscription::open("http://127.0.0.1:1", &[])
            .await
            .unwrap_err();
        assert!(
            matches!(&down, SubscriptionError::Connect { url, .. } if url == "ws://127.0.0.1:1/ws"),
            "{down:?}"
        );
    }
}
