//! The operator's wishes about HTTP: the table [web] and its flag.

use std::net::SocketAddr;

use anyhow::bail;
use clap::Args;
use serde::Deserialize;

use super::WebSettings;

/// Each takes up to half a MiB while it is slow.
const DEFAULT_CONNECTIONS: usize = 512;

/// A household or an office behind one address.
const DEFAULT_PER_ADDRESS: usize = 32;

/// A chat's worth, not a flood's.
const DEFAULT_REQUESTS: u32 = 50;

/// Flags about HTTP.
#[derive(Debug, Default, Args)]
pub struct WebArgs {
    /// TCP address for browsers, HTTP and WebSocket, such as 127.0.0.1:20424 [default: none]
    #[arg(long, env = "PHANTASMA_RELAY_WEB")]
    pub web: Option<SocketAddr>,
}

/// The table [web].
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebTable {
    listen: Option<SocketAddr>,
    origins: Vec<String>,
    connections: Option<usize>,
    per_address: Option<usize>,
    requests_per_s: Option<u32>,
    proxy: bool,
}

impl WebTable {
    /// `None` when nobody asked for it.
    pub fn resolve(self, args: WebArgs) -> anyhow::Result<Option<WebSettings>> {
        let Some(listen) = args.web.or(self.listen) else {
            if self != Self::default() {
                bail!("[web] has settings, but no address: add listen");
            }
            return Ok(None);
        };
        let settings = WebSettings {
            listen,
            connections: self.connections.unwrap_or(DEFAULT_CONNECTIONS),
            per_address: self.per_address.unwrap_or(DEFAULT_PER_ADDRESS),
            requests_per_s: self.requests_per_s.unwrap_or(DEFAULT_REQUESTS),
            origins: self.origins,
            proxy: self.proxy,
        };
        if settings.connections == 0 || settings.per_address == 0 || settings.requests_per_s == 0 {
            bail!("web.connections, web.per_address and web.requests_per_s must be at least 1");
        }
        let wrong = |origin: &&String| {
            let host = origin.split_once("://").map(|(_, host)| host);
            *origin != "*" && host.is_none_or(|host| host.is_empty() || host.contains('/'))
        };
        if let Some(origin) = settings.origins.iter().find(wrong) {
            bail!("web.origins: {origin:?} is not of the form https://host, nor \"*\"");
        }
        Ok(Some(settings))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> anyhow::Result<Option<WebSettings>> {
        let table: WebTable = toml::from_str(text)?;
        table.resolve(WebArgs::default())
    }

    #[test]
    fn http_is_off_until_somebody_asks_and_no_page_may_use_it_until_it_is_named() {
        assert_eq!(resolve("").unwrap(), None);
        let settings = resolve("listen = \"127.0.0.1:1\"").unwrap().unwrap();
        assert!(settings.origins.is_empty() && !settings.proxy);
        assert_eq!(settings.connections, DEFAULT_CONNECTIONS);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| resolve(text).unwrap_err().to_string();
        assert!(error("proxy = true").contains("listen"));
        let at = "listen = \"127.0.0.1:1\"\n";
        assert!(error(&format!("{at}per_address = 0")).contains("per_address"));
        for origin in ["example.org", "https://", "https://example.org/"] {
            assert!(error(&format!("{at}origins = [{origin:?}]")).contains(origin));
        }
        assert!(resolve(&format!("{at}origins = [\"*\", \"https://a\"]")).is_ok());
    }
}
