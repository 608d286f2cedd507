//! Objects at an S3 service: AWS, or one that speaks the same.
//!
//! Small objects are put by one request, larger ones in parts, a part in memory at a time. Bodies are signed, so that a proxy
//! cannot change them. Without credentials requests are sent unsigned, as public buckets take them.

use std::{fmt, ops::Range, time::Duration};

use bytes::Bytes;
use reqwest::{Method, Response, StatusCode};
use zeroize::Zeroizing;

use super::{
    BackendError, ObjectBytes, ObjectStore, Pending, http_failed, refused,
    sigv4::{Now, Unsigned, encode, sign},
};

/// Smallest part, but for the last one; S3 asks for 5 MiB at least.
const PART: u64 = 8 << 20;

/// Parts of an object; S3 takes 10,000.
const MAX_PARTS: u64 = 9_000;

/// A request that says nothing for this long has failed.
const SILENCE: Duration = Duration::from_secs(60);

/// Who is asking. Never shown.
#[derive(Clone)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: Zeroizing<String>,
    /// With credentials that last for a while only.
    pub session_token: Option<Zeroizing<String>>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(hidden)")
    }
}

/// Which service, and as whom.
#[derive(Debug, Clone)]
pub struct S3Config {
    /// `http(s)://host[:port]`, the bucket following as the first part of the path. `None`: AWS.
    pub endpoint: Option<String>,
    pub region: String,
    /// `None`: unsigned.
    pub credentials: Option<Credentials>,
    /// Where new objects go: `bucket` or `bucket/prefix`.
    pub target: String,
}

/// An S3 service. A place is `bucket/key`.
#[derive(Debug, Clone)]
pub struct S3 {
    config: S3Config,
    http: reqwest::Client,
}

/// What is special about a request.
#[derive(Default)]
struct Ask<'a> {
    query: String,
    range: Option<&'a Range<u64>>,
    body: Bytes,
}

impl S3 {
    pub fn new(config: S3Config) -> Result<Self, BackendError> {
        let http = reqwest::Client::builder()
            .read_timeout(SILENCE)
            .build()
            .map_err(http_failed("an HTTP client"))?;
        Ok(Self { config, http })
    }

    /// Sends a signed request. The answer may be a refusal.
    async fn send(
        &self,
        method: Method,
        place: &str,
        ask: Ask<'_>,
    ) -> Result<Response, BackendError> {
        let wrong = |reason| BackendError::Place {
            place: place.to_owned(),
            reason,
        };
        let (bucket, key) = place
            .split_once('/')
            .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
            .ok_or_else(|| wrong("it must be bucket/key"))?;
        let S3Config {
            region, endpoint, ..
        } = &self.config;
        let (base, path) = match endpoint {
            Some(endpoint) => (
                endpoint.trim_end_matches('/').to_owned(),
                format!("/{place}"),
            ),
            None => (
                format!("https://{bucket}.s3.{region}.amazonaws.com"),
                format!("/{key}"),
            ),
        };
        let Some((_, host)) = base
            .split_once("://")
            .filter(|(_, host)| !host.contains('/'))
        else {
            return Err(wrong("the endpoint must be http(s)://host[:port]"));
        };
        let path = encode(&path, true);
        let mut headers = vec![("host", host.to_owned())];
        if let Some(range) = ask.range {
            headers.push(("range", format!("bytes={}-{}", range.start, range.end - 1)));
        }
        if let Some(credentials) = &self.config.credentials {
            let unsigned = Unsigned {
                method: method.as_str(),
                path: &path,
                query: &ask.query,
                headers: &headers,
                body: &ask.body,
            };
            headers.extend(sign(&unsigned, credentials, region, &Now::new()));
        }
        let question = if ask.query.is_empty() { "" } else { "?" };
        let url = format!("{base}{path}{question}{}", ask.query);
        let mut request = self.http.request(method, url).body(ask.body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request
            .send()
            .await
            .map_err(http_failed(format!("s3://{place}")))
    }

    /// As [`S3::send`]; a refusal is an error.
    async fn done(
        &self,
        method: Method,
        place: &str,
        ask: Ask<'_>,
    ) -> Result<Response, BackendError> {
        let what = format!("{method} s3://{place}");
        let response = self.send(method, place, ask).await?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(refused(what, response).await),
        }
    }

    /// Puts an object in parts. What was begun is given up when it fails, so that nobody pays for it.
    async fn in_parts(&self, place: &str, object: ObjectBytes) -> Result<(), BackendError> {
        let ask = Ask {
            query: "uploads=".into(),
            ..Ask::default()
        };
        let begun = self.done(Method::POST, place, ask).await?;
        let text = begun
            .text()
            .await
            .map_err(http_failed("the beginning of an upload"))?;
        let id =
            between(&text, "<UploadId>", "</UploadId>").ok_or_else(|| BackendError::Refused {
                what: format!("POST s3://{place}"),
                status: 200,
                said: "no UploadId".into(),
            })?;
        let id = encode(id, false);
        let outcome = self.parts(place, object, &id).await;
        if outcome.is_err() {
            let ask = Ask {
                query: format!("uploadId={id}"),
                ..Ask::default()
            };
            if let Err(error) = self.done(Method::DELETE, place, ask).await {
                tracing::warn!(%error, "an upload in parts was not given up");
            }
        }
        outcome
    }

    async fn parts(
        &self,
        place: &str,
        mut object: ObjectBytes,
        id: &str,
    ) -> Result<(), BackendError> {
        let limit = PART.max(object.len().div_ceil(MAX_PARTS));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut list = String::from("<CompleteMultipartUpload>");
        for number in 1.. {
            let part = object.part(limit).await?;
            if part.is_empty() {
                break;
            }
            let ask = Ask {
                query: format!("partNumber={number}&uploadId={id}"),
                body: part.into(),
                ..Ask::default()
            };
            let stored = self.done(Method::PUT, place, ask).await?;
            let etag = stored
                .headers()
                .get("etag")
                .and_then(|tag| tag.to_str().ok());
            let etag = etag.unwrap_or_default().trim_matches('"');
            list += &format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>&quot;{etag}&quot;</ETag></Part>"
            );
        }
        list += "</CompleteMultipartUpload>";
        let ask = Ask {
            query: format!("uploadId={id}"),
            body: list.into(),
            ..Ask::default()
        };
        let ended = self.done(Method::POST, place, ask).await?;
        let said = ended
            .text()
            .await
            .map_err(http_failed("the end of an upload"))?;
        // S3 begins this answer before it knows how it ends.
        match said.contains("<Error>") {
            false => Ok(()),
            true => Err(BackendError::Refused {
                what: format!("POST s3://{place}"),
                status: 200,
                said,
            }),
        }
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

impl ObjectStore for S3 {
    fn put<'a>(&'a self, name: &'a str, mut object: ObjectBytes) -> Pending<'a, String> {
        Box::pin(async move {
            let place = format!("{}/{name}", self.config.target.trim_end_matches('/'));
            if object.len() > PART {
                self.in_parts(&place, object).await?;
            } else {
                let ask = Ask {
                    body: object.part(usize::MAX).await?.into(),
                    ..Ask::default()
                };
                self.done(Method::PUT, &place, ask).await?;
            }
            Ok(place)
        })
    }

    fn read<'a>(&'a self, place: &'a str, range: Range<u64>) -> Pending<'a, Bytes> {
        Box::pin(async move {
            if range.is_empty() {
                return Ok(Bytes::new());
            }
            let ask = Ask {
                range: Some(&range),
                ..Ask::default()
            };
            let response = self.send(Method::GET, place, ask).await?;
            match response.status() {
                StatusCode::PARTIAL_CONTENT => super::body::limited(response, &range).await,
                StatusCode::RANGE_NOT_SATISFIABLE => Ok(Bytes::new()),
                _ => Err(refused(format!("GET s3://{place}"), response).await),
            }
        })
    }
}
