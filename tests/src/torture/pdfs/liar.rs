//! A node that keeps nothing: it takes every block, claims to hold all that it has ever been given or asked about, and
//! gives out something else.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use phantasma_net::{Connection, Endpoint, Identity, Protocol};
use phantasma_sdk::pdfs::{Client, NodeAddress};
use phantasma_wire::Hash;
use phantasma_wire::pdfs::{BlockRange, Request, Response};
use tokio::task::JoinHandle;

use crate::torture::random::Random;

/// What it was given, to lie about it well: the paths are right, the bytes are not.
type Given = Mutex<HashMap<(Hash, u32), (Vec<Hash>, Bytes)>>;

/// The liar; gone when dropped.
#[derive(Debug)]
pub(super) struct Liar {
    pub(super) node: NodeAddress,
    task: JoinHandle<()>,
    endpoint: Endpoint,
}

impl Liar {
    /// Listens, and tells `nodes` about itself as an honest one does.
    pub(super) async fn start(address: Ipv4Addr, nodes: &[NodeAddress], random: Random) -> Self {
        let identity = Identity::random().unwrap();
        let endpoint =
            Endpoint::bind(SocketAddr::from((address, 0)), &identity, Protocol::pdfs()).unwrap();
        let node = NodeAddress {
            public_key: identity.public_key(),
            address: endpoint.local_addr().unwrap().to_string(),
        };
        let (listening, given) = (endpoint.clone(), Arc::<Given>::default());
        let random = Arc::new(Mutex::new(random));
        let task = tokio::spawn(async move {
            while let Some(incoming) = listening.accept().await {
                let Ok(connection) = incoming.finish().await else {
                    continue;
                };
                tokio::spawn(serve(connection, given.clone(), random.clone()));
            }
        });
        let client = Client::over(endpoint.clone());
        for other in nodes {
            let own = Some(node.address.clone());
            let _ = client.join(other, own).await;
        }
        Self {
            node,
            task,
            endpoint,
        }
    }

    /// Leaves without a word to anybody.
    pub(super) async fn leave(self) {
        self.task.abort();
        self.endpoint
            .close("gone", std::time::Duration::from_millis(100))
            .await;
    }
}

async fn serve(connection: Connection, given: Arc<Given>, random: Arc<Mutex<Random>>) {
    while let Ok((mut sender, mut receiver)) = connection.accept().await {
        let Ok(Some(request)) = receiver.receive::<Request>().await else {
            continue;
        };
        let answer = lie(request, &given, &mut random.lock().unwrap());
        let _ = sender.send(&answer).await;
        let _ = sender.finish();
    }
}

fn lie(request: Request, given: &Given, random: &mut Random) -> Response {
    match request {
        Request::Query { root, block } => {
            let known = given.lock().unwrap().get(&(root, block)).cloned();
            let (path, data) = known.unwrap_or((Vec::new(), vec![7; 1024].into()));
            let mut wrong = data.to_vec();
            match random.below(3) {
                // One bit, somewhere.
                0 => {
                    let at = random.below(wrong.len());
                    wrong[at] ^= 1 << random.below(8);
                }
                1 => wrong.truncate(wrong.len() / 2),
                _ => return Response::NotFound { holders: vec![] },
            }
            Response::Block {
                path,
                data: wrong.into(),
            }
        }
        Request::Info { from, .. } => Response::Info {
            size: 1 << 30,
            ranges: vec![BlockRange {
                start: from,
                count: 4096,
            }],
            more: false,
            holders: vec![],
        },
        Request::Join { .. } => Response::Map { nodes: vec![] },
        Request::Attach { .. } | Request::Detach => Response::Done,
        Request::Upload {
            root,
            block,
            path,
            data,
        } => {
            given.lock().unwrap().insert((root, block), (path, data));
            Response::Done
        }
    }
}
