//! Files on IPFS, through the HTTP API of a kubo node, or read through any path gateway.

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use reqwest::{Body, Client, StatusCode};
use serde::Deserialize;

use super::{
    BackendError, ObjectBytes, ObjectStore, Pending,
    body::{Framed, limited},
    http_failed, refused,
    sigv4::encode,
};

/// A request that says nothing for this long has failed: a file may have to be found first.
const SILENCE: Duration = Duration::from_secs(120);

/// Keeps the file in a body of several parts apart from what is around it.
const BOUNDARY: &str = "phantasma-2f1c9e5ab7d84c06";

/// Which node and gateway.
#[derive(Debug, Clone, Default)]
pub struct IpfsConfig {
    /// `http://host:port` of a node's API, without `/api/v0`.
    pub api: Option<String>,
    /// `http(s)://host[:port]` of a path gateway, which is then asked for what is read.
    pub gateway: Option<String>,
}

/// IPFS. A place is a CID, or a CID and a path below it.
#[derive(Debug, Clone)]
pub struct Ipfs {
    config: IpfsConfig,
    http: Client,
}

/// A line of the answer to `add`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Added {
    hash: String,
}

impl Ipfs {
    pub fn new(config: IpfsConfig) -> Result<Self, BackendError> {
        let http = Client::builder()
            .read_timeout(SILENCE)
            .build()
            .map_err(http_failed("an HTTP client"))?;
        Ok(Self { config, http })
    }

    fn api(&self, place: &str, call: &str) -> Result<String, BackendError> {
        let api = self.config.api.as_deref().ok_or(BackendError::Place {
            place: place.to_owned(),
            reason: "no API of an IPFS node is configured",
        })?;
        Ok(format!("{}/api/v0/{call}", api.trim_end_matches('/')))
    }

    /// Adds and pins one file, in blocks of the content's own size.
    async fn add(&self, name: &str, object: ObjectBytes) -> Result<String, BackendError> {
        let call = "add?pin=true&cid-version=1&raw-leaves=true&chunker=size-262144&progress=false";
        let url = self.api(name, call)?;
        let before = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        let after = format!("\r\n--{BOUNDARY}--\r\n");
        let body = Framed::new(before.into(), object, after.into());
        let form = format!("multipart/form-data; boundary={BOUNDARY}");
        let request = self.http.post(url).header("content-type", form);
        let sent = request.body(Body::wrap(body)).send().await;
        let response = sent.map_err(http_failed("IPFS add"))?;
        if !response.status().is_success() {
            return Err(refused("IPFS add", response).await);
        }
        let text = response.text().await.map_err(http_failed("IPFS add"))?;
        let last = text.lines().rfind(|line| !line.trim().is_empty());
        let added = last.and_then(|line| serde_json::from_str::<Added>(line).ok());
        added
            .map(|added| added.hash)
            .ok_or_else(|| BackendError::Refused {
                what: "IPFS add".into(),
                status: 200,
                said: format!("no hash in {text:?}"),
            })
    }

    async fn ask_gateway(
        &self,
        gateway: &str,
        place: &str,
        range: &Range<u64>,
    ) -> Result<Bytes, BackendError> {
        let what = format!("ipfs://{place} from the gateway");
        let base = gateway.trim_end_matches('/');
        let url = format!("{base}/ipfs/{}", encode(place, true));
        let bytes = format!("bytes={}-{}", range.start, range.end - 1);
        let request = self.http.get(url).header("range", bytes);
        let response = request.send().await.map_err(http_failed(&what))?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => limited(response, range).await,
            StatusCode::RANGE_NOT_SATISFIABLE => Ok(Bytes::new()),
            // A gateway that knows no ranges would send everything each time.
            _ => Err(refused(what, response).await),
        }
    }

    async fn ask_node(&self, place: &str, range: &Range<u64>) -> Result<Bytes, BackendError> {
        let what = format!("ipfs://{place} from the node");
        let (offset, length) = (range.start, range.end - range.start);
        let arg = encode(&format!("/ipfs/{place}"), false);
        let call = format!("cat?arg={arg}&offset={offset}&length={length}");
        let request = self.http.post(self.api(place, &call)?);
        let response = request.send().await.map_err(http_failed(&what))?;
        match response.status().is_success() {
            true => limited(response, range).await,
            false => Err(refused(what, response).await),
        }
    }
}

impl ObjectStore for Ipfs {
    fn put<'a>(&'a self, name: &'a str, object: ObjectBytes) -> Pending<'a, String> {
        Box::pin(self.add(name, object))
    }

    fn read<'a>(&'a self, place: &'a str, range: Range<u64>) -> Pending<'a, Bytes> {
        Box::pin(async move {
            if range.is_empty() {
                return Ok(Bytes::new());
            }
            match &self.config.gateway {
                Some(gateway) => self.ask_gateway(gateway, place, &range).await,
                None => self.ask_node(place, &range).await,
            }
        })
    }
}
