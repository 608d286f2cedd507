//! A chain, and a cluster of storage nodes on it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use phantasma_net::Identity;
use phantasma_sdk::contract::{ContentMode, ContentOrder, Phantasma, Priority};
use phantasma_sdk::pdfs::{Client, NodeAddress};
use tokio::net::{TcpListener, TcpStream};

use super::NODES;
use super::ground::Ground;
use super::place::{Place, Told};
use super::plan::{Event, Fault};
use crate::torture::random::Random;
use crate::{DeployedPhantasma, TestNet};

/// The chain with the contract, and what stays from one cluster to the next.
#[derive(Debug)]
pub(super) struct World {
    net: TestNet,
    deployed: DeployedPhantasma,
    pub(super) told: Told,
}

/// Seven nodes and what they are asked to keep.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) ground: Ground,
    places: Vec<Mutex<Place>>,
    /// Where each node is, and its control plane: they stay.
    addresses: Vec<(NodeAddress, String)>,
    folder: tempfile::TempDir,
}

impl World {
    pub(super) async fn new(ask_every_s: u64) -> Self {
        let ground = Ground::new();
        let net = TestNet::start().await;
        let deployed = net.deploy_phantasma().await;
        let rpc: SocketAddr = net.rpc_url().trim_start_matches("http://").parse().unwrap();
        // The chain's node listens on loopback, which is another one in each namespace.
        let front = TcpListener::bind((ground.here(), 0)).await.unwrap();
        let told = Told {
            ground,
            rpc: format!("http://{}", front.local_addr().unwrap()),
            contract: deployed.hash.to_string(),
            ask_every_s,
        };
        tokio::spawn(forward(front, rpc));
        Self {
            net,
            deployed,
            told,
        }
    }

    /// Pays for a content.
    pub(super) async fn create(&self, root: [u8; 32], size: u64) {
        let order = ContentOrder {
            root,
            size,
            mode: ContentMode::ReadOnly,
            priority: Priority::Normal,
            periods: 1,
            max_payment: u64::from(u32::MAX) * 1_0000,
        };
        let contract = Phantasma::new(self.net.rpc(), self.deployed.hash);
        contract
            .create_content(&self.deployed.owner, &order)
            .await
            .unwrap();
    }

    /// Somebody who asks nodes, never met before.
    pub(super) fn client(&self) -> Client {
        let here = SocketAddr::from((self.told.ground.here(), 0));
        Client::bind(here, &Identity::random().unwrap()).unwrap()
    }
}

async fn forward(front: TcpListener, to: SocketAddr) {
    loop {
        let Ok((mut near, _)) = front.accept().await else {
            continue;
        };
        tokio::spawn(async move {
            if let Ok(mut far) = TcpStream::connect(to).await {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}

impl Cluster {
    /// Seven nodes with empty disks, all ready.
    pub(super) async fn start(told: &Told) -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let places = (0..NODES).map(|n| Place::new(n, told, folder.path()));
        let places: Vec<Place> = places.collect();
        let cluster = Arc::new(Self {
            ground: told.ground,
            addresses: places.iter().map(|p| (p.node(), p.control())).collect(),
            places: places.into_iter().map(Mutex::new).collect(),
            folder,
        });
        let this = cluster.clone();
        let started = tokio::task::spawn_blocking(move || {
            for n in 0..NODES {
                let others = this.others(n);
                this.place(n).spawn(&others);
            }
            (0..NODES).try_for_each(|n| {
                let others = this.others(n);
                this.place(n).ready(&others)
            })
        });
        started.await.unwrap().unwrap_or_else(|e| panic!("{e}"));
        cluster
    }

    pub(super) fn place(&self, n: usize) -> MutexGuard<'_, Place> {
        self.places[n].lock().unwrap()
    }

    /// The data planes of all.
    pub(super) fn nodes(&self) -> Vec<NodeAddress> {
        self.addresses
            .iter()
            .map(|(node, _)| node.clone())
            .collect()
    }

    /// Whom a node is told of: three others, with their control planes.
    fn others(&self, n: usize) -> Vec<(NodeAddress, String)> {
        [1, 2, 4]
            .map(|step| self.addresses[(n + step) % NODES].clone())
            .to_vec()
    }

    /// Does to a node what an event says.
    fn begin(&self, event: &Event, random: &mut Random) -> Result<(), String> {
        let n = event.node;
        match &event.fault {
            Fault::Kill | Fault::Gone => self.place(n).kill(),
            Fault::Stop => self.place(n).hold(true),
            Fault::Cut(others) => {
                for n in others.iter().chain([&n]) {
                    self.ground.cut(*n, true);
                }
            }
            Fault::Full => self.place(n).fill(true),
            Fault::Clock { hours, all } => self.clocks(n, *all, hours * 3600),
            Fault::FlipSegments {
                bits,
                running: true,
            } => self.place(n).flip_segments(*bits, random),
            Fault::FlipSegments {
                bits,
                running: false,
            } => {
                self.place(n).kill();
                self.place(n).flip_segments(*bits, random);
            }
            Fault::FlipIndex { bits } => {
                self.place(n).kill();
                self.place(n).flip_index(*bits, random);
            }
            Fault::Wipe => {
                self.place(n).kill();
                self.place(n).wipe();
            }
        }
        Ok(())
    }

    /// Ends what an event began, as far as it ends by itself.
    fn end(&self, event: &Event) -> Result<(), String> {
        let n = event.node;
        match &event.fault {
            Fault::Kill
            | Fault::FlipSegments { running: false, .. }
            | Fault::FlipIndex { .. }
            | Fault::Wipe => self.restart(n)?,
            Fault::Stop => self.place(n).hold(false),
            Fault::Cut(others) => {
                for n in others.iter().chain([&n]) {
                    self.ground.cut(*n, false);
                }
            }
            Fault::Full => self.place(n).fill(false),
            Fault::Clock { all, .. } => self.clocks(n, *all, 0),
            Fault::FlipSegments { running: true, .. } | Fault::Gone => {}
        }
        Ok(())
    }

    fn clocks(&self, n: usize, all: bool, offset_s: i64) {
        match all {
            true => (0..NODES).for_each(|n| self.place(n).clock(offset_s)),
            false => self.place(n).clock(offset_s),
        }
    }

    fn restart(&self, n: usize) -> Result<(), String> {
        let others = self.others(n);
        self.place(n).start(&others)
    }

    /// Carries out an event from its beginning to its end.
    pub(super) async fn suffer(
        self: Arc<Self>,
        event: Event,
        mut random: Random,
    ) -> Result<(), String> {
        tokio::time::sleep(Duration::from_millis(event.at_ms)).await;
        let (this, what) = (self.clone(), event.clone());
        let begun = tokio::task::spawn_blocking(move || this.begin(&what, &mut random));
        begun.await.map_err(|error| error.to_string())??;
        tokio::time::sleep(Duration::from_millis(event.for_ms)).await;
        let ended = tokio::task::spawn_blocking(move || self.end(&event));
        ended.await.map_err(|error| error.to_string())?
    }

    /// After the trouble an operator looks at the logs. Gives which nodes were helped.
    pub(super) async fn attend(self: &Arc<Self>) -> Result<Vec<usize>, String> {
        let this = self.clone();
        let attending = tokio::task::spawn_blocking(move || {
            let mut helped = Vec::new();
            for n in 0..NODES {
                let others = this.others(n);
                if this.place(n).is_running() && this.place(n).attend(&others)? {
                    helped.push(n);
                }
            }
            Ok(helped)
        });
        attending.await.map_err(|error| error.to_string())?
    }

    /// Starts the nodes that are gone.
    pub(super) async fn bring_back(self: &Arc<Self>) -> Result<(), String> {
        let this = self.clone();
        let starting = tokio::task::spawn_blocking(move || {
            (0..NODES)
                .filter(|n| !this.place(*n).is_running())
                .try_for_each(|n| this.restart(n))
        });
        starting.await.map_err(|error| error.to_string())?
    }

    /// Nodes whose process runs.
    pub(super) fn running(&self) -> Vec<NodeAddress> {
        let places = (0..NODES).map(|n| self.place(n));
        let running = places.filter(|place| place.is_running());
        running.map(|place| place.node()).collect()
    }

    /// What must never be in a log.
    pub(super) fn panicked(&self) -> Option<String> {
        (0..NODES).find_map(|n| {
            let log = self.place(n).log();
            log.contains("panicked").then_some(log)
        })
    }

    /// Ends everything and removes the disks.
    pub(super) fn remove(self) {
        for place in self.places {
            place.into_inner().unwrap().remove();
        }
        drop(self.folder);
    }
}
