//! A chat between terminals: `chat RPC CONTRACT BOX RELAY NAME`, once in each.
//!
//! What is typed is signed, kept by the relay, and printed by everybody who chats in that box, those that come later
//! included. A lost connection is made anew, and the talk goes on where it stopped. RELAY is `KEY@HOST:PORT`. The line
//! `/quit`, or the end of the input, ends it.

use std::io::{BufRead, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use phantasma_net::Identity;
use phantasma_sdk::boxes;
use phantasma_sdk::contract::Phantasma;
use phantasma_sdk::neo::{Account, RpcClient};
use phantasma_sdk::relay::{ChainId, RelayClient, RelayClientError, Since};
use phantasma_vm::script_data;
use phantasma_wire::message::{Class, Message};
use tokio::sync::mpsc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct Chat {
    contract: Phantasma,
    chain: ChainId,
    box_id: u64,
    relay: std::net::SocketAddr,
    relay_key: [u8; 33],
    account: Account,
    name: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rpc, contract, box_id, relay, name] = arguments.as_slice() else {
        return Err("usage: chat RPC CONTRACT BOX RELAY NAME".into());
    };
    let rpc = RpcClient::new(rpc);
    let network = rpc.get_version().await?.protocol.network;
    let contract = Phantasma::new(rpc, contract.parse()?);
    let (key, address) = relay.split_once('@').ok_or("RELAY is KEY@HOST:PORT")?;
    let key: phantasma_sdk::neo::PublicKey = key.parse()?;
    let chat = Chat {
        chain: ChainId {
            network,
            contract: contract.hash().0,
        },
        contract,
        box_id: box_id.parse()?,
        relay: phantasma_net::resolve(address).await?,
        relay_key: key.0,
        account: Account::random()?,
        name: name.clone(),
    };
    chat.run(typed()).await
}

impl Chat {
    /// Talks until the input ends; connects again as often as needed.
    async fn run(&self, mut typed: mpsc::Receiver<String>) -> Result<()> {
        let (mut last, mut unsent) = (0, None);
        loop {
            match self.talk(&mut typed, &mut last, &mut unsent).await {
                Ok(()) => return Ok(()),
                Err(RelayClientError::Refused { text, .. }) => {
                    return Err(format!("the relay refuses: {text}").into());
                }
                Err(error) => {
                    eprintln!("{error}; connecting again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// One connection. `last` is the position of the last message that was printed, `unsent` what was typed and is not
    /// acknowledged yet.
    async fn talk(
        &self,
        typed: &mut mpsc::Receiver<String>,
        last: &mut u64,
        unsent: &mut Option<Message>,
    ) -> std::result::Result<(), RelayClientError> {
        let identity = Identity::from_scalar(&self.account.key.to_bytes())?;
        let relay =
            RelayClient::connect(self.relay, &identity, Some(self.relay_key), self.chain).await?;
        let mut messages = relay
            .subscribe(self.box_id, Since::Position(*last + 1))
            .await?;
        loop {
            if let Some(message) = unsent {
                // The same message again is taken once only, however often the connection breaks.
                relay.publish(message.clone()).await?;
                *unsent = None;
            }
            tokio::select! {
                received = messages.next() => {
                    let Some(received) = received? else { return Ok(()) };
                    *last = received.position;
                    show(&received.message);
                }
                line = typed.recv() => match line.as_deref() {
                    None | Some("/quit") => {
                        relay.close().await;
                        return Ok(());
                    }
                    Some(line) => *unsent = self.sign(line).await,
                },
            }
        }
    }

    async fn sign(&self, line: &str) -> Option<Message> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let text = format!("{}: {line}", self.name);
        // Sequences must rise; the time in microseconds does, also over restarts.
        let (sequence, time_ms) = (now.as_micros() as u64, now.as_millis() as u64);
        let signed = boxes::sign(
            &self.contract,
            &self.account,
            self.box_id,
            sequence,
            time_ms,
            Class::Durable,
            text.as_bytes(),
        );
        let signed = signed.await.inspect_err(|error| eprintln!("{error}"));
        signed.ok()
    }
}

fn show(message: &Message) {
    let text = script_data(&message.body.payload).unwrap_or_default();
    let mut out = std::io::stdout().lock();
    // Whoever closed the output does not read.
    let _ = writeln!(out, "{}", String::from_utf8_lossy(text).escape_debug());
    let _ = out.flush();
}

/// Lines of the terminal.
fn typed() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(|line| line.ok()) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
