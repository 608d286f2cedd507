//! A UDP path between clients and a relay that loses, doubles, delays and so reorders datagrams, both ways.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::torture::random::Random;

/// Longest datagram.
const LONGEST: usize = 65_536;

/// What happens to datagrams; each number is of 1,000.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    pub lost: usize,
    pub doubled: usize,
    pub late: usize,
    /// A late datagram waits up to so long.
    pub delay_ms: usize,
}

/// The path; gone when dropped.
#[derive(Debug)]
pub struct Lossy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    weather: Weather,
    random: Random,
}

impl Lossy {
    /// A path to `relay`.
    pub async fn start(relay: SocketAddr, weather: Weather, random: Random) -> Self {
        let front = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let address = front.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { weather, random }));
        let task = tokio::spawn(forward(front, relay, state.clone()));
        Self {
            address,
            state,
            task,
        }
    }

    /// Where clients find the relay.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather.
    pub fn set(&self, weather: Weather) {
        self.state.lock().unwrap().weather = weather;
    }
}

impl Drop for Lossy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Each client gets a socket of its own towards the relay, so that the relay tells them apart.
async fn forward(front: Arc<UdpSocket>, relay: SocketAddr, state: Arc<Mutex<State>>) {
    let mut clients: HashMap<SocketAddr, Way> = HashMap::new();
    let mut buffer = vec![0; LONGEST];
    loop {
        let Ok((len, client)) = front.recv_from(&mut buffer).await else {
            continue;
        };
        let back = match clients.entry(client) {
            Entry::Occupied(way) => way.get().back.clone(),
            Entry::Vacant(new) => {
                let back = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
                back.connect(relay).await.unwrap();
                let task = tokio::spawn(answer(back.clone(), front.clone(), client, state.clone()));
                new.insert(Way {
                    back: back.clone(),
                    task,
                });
                back
            }
        };
        send(back, None, &buffer[..len], &state);
    }
}

async fn answer(
    back: Arc<UdpSocket>,
    front: Arc<UdpSocket>,
    client: SocketAddr,
    state: Arc<Mutex<State>>,
) {
    let mut buffer = vec![0; LONGEST];
    loop {
        // While no relay runs, the system says so: that is a loss like others.
        match back.recv(&mut buffer).await {
            Ok(len) => send(front.clone(), Some(client), &buffer[..len], &state),
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

fn send(socket: Arc<UdpSocket>, to: Option<SocketAddr>, bytes: &[u8], state: &Mutex<State>) {
    let copies = {
        let mut state = state.lock().unwrap();
        let Weather {
            lost,
            doubled,
            late,
            delay_ms,
        } = state.weather;
        let random = &mut state.random;
        if random.below(1000) < lost {
            return;
        }
        let copies = 1 + usize::from(random.below(1000) < doubled);
        let wait = |random: &mut Random| match random.below(1000) < late {
            true => random.below(delay_ms.max(1)) as u64,
            false => 0,
        };
        (0..copies).map(|_| wait(random)).collect::<Vec<_>>()
    };
    for wait in copies {
        if wait == 0 {
            let _ = match to {
                Some(to) => socket.try_send_to(bytes, to),
                None => socket.try_send(bytes),
            };
            continue;
        }
        let (socket, bytes) = (socket.clone(), bytes.to_vec());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let _ = match to {
                Some(to) => socket.send_to(&bytes, to).await,
                None => socket.send(&bytes).await,
            };
        });
    }
}

/// The way of one client's datagrams.
#[derive(Debug)]
struct Way {
    back: Arc<UdpSocket>,
    task: JoinHandle<()>,
}

impl Drop for Way {
    fn drop(&mut self) {
        self.task.abort();
    }
}
