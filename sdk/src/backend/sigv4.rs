//! AWS Signature Version 4, as S3 services check it.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::s3::Credentials;

/// A request that is to be signed. Names of headers are in lower case.
pub(super) struct Unsigned<'a> {
    pub(super) method: &'a str,
    /// Percent-encoded, from the first slash on.
    pub(super) path: &'a str,
    /// Percent-encoded, sorted, `name=value` joined by `&`.
    pub(super) query: &'a str,
    /// Without those that signing adds.
    pub(super) headers: &'a [(&'a str, String)],
    pub(super) body: &'a [u8],
}

/// The headers that make a request a signed one, beside those it had.
pub(super) fn sign(
    request: &Unsigned<'_>,
    credentials: &Credentials,
    region: &str,
    now: &Now,
) -> Vec<(&'static str, String)> {
    let hashed = hex::encode(Sha256::digest(request.body));
    let mut added = vec![
        ("x-amz-content-sha256", hashed.clone()),
        ("x-amz-date", now.stamp()),
    ];
    if let Some(token) = &credentials.session_token {
        added.push(("x-amz-security-token", token.to_string()));
    }
    let mut headers: Vec<(&str, &str)> = request
        .headers
        .iter()
        .chain(&added)
        .map(|(name, value)| (*name, value.trim()))
        .collect();
    headers.sort_unstable();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let Unsigned {
        method,
        path,
        query,
        ..
    } = request;
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{hashed}");
    let scope = format!("{}/{region}/s3/aws4_request", now.day());
    let canonical = hex::encode(Sha256::digest(canonical));
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{canonical}", now.stamp());

    let secret = Zeroizing::new(format!("AWS4{}", credentials.secret_access_key.as_str()));
    let mut key = mac(secret.as_bytes(), now.day().as_bytes());
    for part in [region, "s3", "aws4_request"] {
        key = mac(&key, part.as_bytes());
    }
    let signature = hex::encode(mac(&key, to_sign.as_bytes()));
    let id = &credentials.access_key_id;
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={id}/{scope},SignedHeaders={names},Signature={signature}"
    );
    added.push(("authorization", value));
    added
}

fn mac(key: &[u8], data: &[u8]) -> Zeroizing<Vec<u8>> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    Zeroizing::new(hmac::sign(&key, data).as_ref().to_vec())
}

/// Percent-encodes all but what S3 leaves as it is; in a path slashes stay.
pub(super) fn encode(text: &str, path: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            b'/' if path => encoded.push('/'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// A time as it stands in a signature, in seconds since 1970.
pub(super) struct Now(u64);

impl Now {
    pub(super) fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self(since.unwrap_or_default().as_secs())
    }

    /// `20130524`.
    fn day(&self) -> String {
        let (year, month, day) = date(self.0 / 86_400);
        format!("{year:04}{month:02}{day:02}")
    }

    /// `20130524T000000Z`.
    fn stamp(&self) -> String {
        let second = self.0 % 86_400;
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        format!("{}T{hour:02}{minute:02}{:02}Z", self.day(), second % 60)
    }
}

/// Year, month and day of a day counted from 1970, in years of 365 or 366 days and a year's months.
fn date(mut days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    loop {
        let long = if leap(year) { 366 } else { 365 };
        if days < long {
            break;
        }
        days -= long;
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for long in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < long {
            break;
        }
        days -= long;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two examples with a body and with a query of AWS's documentation of S3 ("Signature calculations for the
    /// Authorization header").
    #[test]
    fn the_examples_of_aws_have_their_signatures() {
        let credentials = Credentials {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_access_key: Zeroizing::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
            session_token: None,
        };
        let host = ("host", "examplebucket.s3.amazonaws.com".to_owned());
        // 24 May 2013.
        let now = Now(1_369_353_600);
        let signature = |request: &Unsigned<'_>| {
            let added = sign(request, &credentials, "us-east-1", &now);
            let last = added.last().map(|(_, value)| value.clone());
            let value = last.unwrap_or_default();
            value.rsplit_once('=').map(|(_, text)| text.to_owned())
        };
        let get = Unsigned {
            method: "GET",
            path: "/test.txt",
            query: "",
            headers: &[host.clone(), ("range", "bytes=0-9".into())],
            body: b"",
        };
        let expected = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        assert_eq!(signature(&get).as_deref(), Some(expected));
        let list = Unsigned {
            method: "GET",
            path: "/",
            query: "max-keys=2&prefix=J",
            headers: std::slice::from_ref(&host),
            body: b"",
        };
        let expected = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
        assert_eq!(signature(&list).as_deref(), Some(expected));
        let put = Unsigned {
            method: "PUT",
            path: &encode("/test$file.text", true),
            query: "",
            headers: &[
                ("date", "Fri, 24 May 2013 00:00:00 GMT".into()),
                host,
                ("x-amz-storage-class", "REDUCED_REDUNDANCY".into()),
            ],
            body: b"Welcome to Amazon S3.",
        };
        let expected = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
        assert_eq!(signature(&put).as_deref(), Some(expected));
    }

    #[test]
    fn days_become_dates() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_453, (2025, 12, 31)),
            (20_454, (2026, 1, 1)),
        ] {
            assert_eq!(date(days), expected, "{days}");
        }
        assert_eq!(Now(1_369_353_599).stamp(), "20130523T235959Z");
    }
}
