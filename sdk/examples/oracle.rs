//! An oracle: a box on the chain says where a feed is and who signs it; the values themselves never touch the chain.
//!
//! `PHANTASMA_WIF=... oracle feed RPC CONTRACT BOX RELAY` writes the place of the feed into the box (unless it stands there
//! already), takes values from its input, one a line, and sends the newest one at once and then as a heartbeat.
//! `oracle watch RPC CONTRACT BOX` reads the place from the box, listens, and prints each new value of that author; it says
//! when the heartbeat stops. RELAY is `KEY@HOST:PORT`.

use std::io::{BufRead, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use phantasma_net::Identity;
use phantasma_sdk::boxes;
use phantasma_sdk::contract::Phantasma;
use phantasma_sdk::neo::{Account, PrivateKey, PublicKey, RpcClient};
use phantasma_sdk::relay::{ChainId, RelayClient, Since};
use phantasma_vm::script_data;
use phantasma_wire::message::Class;
use tokio::sync::mpsc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How often the newest value is told again.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// A feed that is silent for so long is not to be relied on.
const SILENCE: Duration = Duration::from_secs(5);

/// First word of an endpoint in a box.
const ENDPOINT: &str = "oracle";

/// Where a feed is.
struct Endpoint {
    relay: String,
    author: PublicKey,
}

impl Endpoint {
    fn text(&self) -> String {
        format!("{ENDPOINT} {} {}", self.relay, self.author)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (first, relay, author) = (words.next()?, words.next()?, words.next()?);
        (first == ENDPOINT && words.next().is_none()).then_some(())?;
        Some(Self {
            relay: relay.to_owned(),
            author: author.parse().ok()?,
        })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["feed", rpc, contract, box_id, relay] => {
            let contract = Phantasma::new(RpcClient::new(*rpc), contract.parse()?);
            feed(&contract, box_id.parse()?, relay).await
        }
        ["watch", rpc, contract, box_id] => {
            let contract = Phantasma::new(RpcClient::new(*rpc), contract.parse()?);
            watch(&contract, box_id.parse()?).await
        }
        _ => {
            Err("usage: oracle feed RPC CONTRACT BOX RELAY | oracle watch RPC CONTRACT BOX".into())
        }
    }
}

async fn feed(contract: &Phantasma, box_id: u64, relay: &str) -> Result<()> {
    let wif = std::env::var("PHANTASMA_WIF").map_err(|_| "PHANTASMA_WIF is not set")?;
    let author = Account::new(PrivateKey::from_wif(&wif)?);
    announce(contract, &author, box_id, relay).await?;
    let client = connect(contract, relay, &author).await?;
    let (mut values, mut newest) = (lines(), None);
    let mut beats = tokio::time::interval(HEARTBEAT);
    println!("feeding");
    loop {
        tokio::select! {
            value = values.recv() => match value {
                Some(value) => newest = Some(value),
                None => break,
            },
            _ = beats.tick() => {}
        }
        let Some(value) = &newest else { continue };
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let message = boxes::sign(
            contract,
            &author,
            box_id,
            now.as_micros() as u64,
            now.as_millis() as u64,
            Class::Ephemeral,
            value.as_bytes(),
        );
        client.cast(message.await?).await?;
    }
    client.close().await;
    Ok(())
}

/// Writes the feed's place into the box, unless its newest content says so already.
async fn announce(contract: &Phantasma, author: &Account, box_id: u64, relay: &str) -> Result<()> {
    let endpoint = Endpoint {
        relay: relay.to_owned(),
        author: author.key.public_key(),
    };
    let text = endpoint.text();
    let latest = boxes::read_latest(contract, box_id, 1).await?;
    let known = latest.first().and_then(boxes::Entry::data);
    if known != Some(text.as_bytes()) {
        boxes::post(contract, author, box_id, text.as_bytes()).await?;
    }
    Ok(())
}

async fn watch(contract: &Phantasma, box_id: u64) -> Result<()> {
    let latest = boxes::read_latest(contract, box_id, 1).await?;
    let data = latest.first().and_then(boxes::Entry::data);
    let endpoint = data
        .and_then(|data| Endpoint::parse(std::str::from_utf8(data).ok()?))
        .ok_or("the box does not say where a feed is")?;
    let client = connect(contract, &endpoint.relay, &Account::random()?).await?;
    let mut messages = client.subscribe(box_id, Since::Now).await?;
    println!("listening to {}", endpoint.relay);
    let (mut newest, mut shown) = (0, Vec::new());
    loop {
        let next = tokio::time::timeout(SILENCE, messages.next()).await;
        let Ok(next) = next else {
            println!("silent for {} s", SILENCE.as_secs());
            continue;
        };
        let Some(received) = next? else { return Ok(()) };
        let body = &received.message.body;
        // Anybody may write to the box at the relay; a value is what its author says, and datagrams may overtake.
        if body.author != endpoint.author.0 || body.sequence <= newest {
            continue;
        }
        newest = body.sequence;
        let value = script_data(&body.payload).unwrap_or_default();
        if value != shown {
            let text = String::from_utf8_lossy(value);
            writeln!(std::io::stdout(), "{}", text.escape_debug())?;
            shown = value.to_vec();
        }
    }
}

async fn connect(contract: &Phantasma, relay: &str, account: &Account) -> Result<RelayClient> {
    let (key, address) = relay.split_once('@').ok_or("RELAY is KEY@HOST:PORT")?;
    let key: PublicKey = key.parse()?;
    let chain = ChainId {
        network: contract.rpc().version().await?.network(),
        contract: contract.hash().0,
    };
    let identity = Identity::from_scalar(&account.key.to_bytes())?;
    let address = phantasma_net::resolve(address).await?;
    Ok(RelayClient::connect(address, &identity, Some(key.0), chain).await?)
}

/// Lines of the input.
fn lines() -> mpsc::Receiver<String> {
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
