//! The ports that the programs of this set-up want: free, or held by the program itself.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::held::{Protocol, holder};
use super::{Finding, Setup, blocking};
use crate::net::detached::{self, DEFAULT_RPC_PORT};

/// The kernel keeps so many bytes of a program's name.
const NAME_BYTES: usize = 15;

/// Looks at all ports; the first that is taken is named.
pub(super) async fn look(setup: Arc<Setup>) -> Finding {
    let net = match net_port(&setup).await {
        Ok(port) => port,
        Err(finding) => return finding,
    };
    blocking(move || {
        let mut good = Vec::new();
        if let Some(port) = net {
            let address = (Ipv4Addr::LOCALHOST, port).into();
            match holder(Protocol::Tcp, address) {
                Err(error) => return unknown(&error),
                Ok(None) => good.push(format!("TCP {address} free")),
                Ok(Some(holder)) => {
                    return Finding::wrong(
                        format!("port taken: {} holds it, and it is no Neo node", holder.describe()),
                        format!("TCP {address}, the JSON-RPC of the private net"),
                        "stop that program, or choose another port with `phantasma net up --rpc-port PORT`",
                    );
                }
            }
        }
        for server in [&setup.relay, &setup.node].into_iter().filter(|s| s.set_up) {
            if let Some(error) = &server.error {
                return Finding::wrong(
                    format!("settings cannot be understood: {error}"),
                    server.kind.program,
                    "put the file or the environment variable right",
                );
            }
            for (setting, address) in server.kind.ports.iter().zip(&server.ports) {
                match theirs(server.kind.program, setting.protocol, *address) {
                    Ok(text) => good.push(text),
                    Err(mut finding) => {
                        if let Finding::Wrong { place, advice, .. } = &mut finding {
                            *place += &format!(", `{}` of {}", setting.key, server.kind.program);
                            *advice += &format!("`{}`", setting.key);
                        }
                        return finding;
                    }
                }
            }
        }
        match good.is_empty() {
            true => Finding::skipped("no private net, relay or storage node is set up here"),
            false => Finding::fine(good.join(", ")),
        }
    })
    .await
}

/// The port that a private net of this folder wants and does not have; None when it runs, or another Neo node is used.
async fn net_port(setup: &Setup) -> Result<Option<u16>, Finding> {
    let dir = setup.context.global.dir.join("net");
    let status = detached::status(&dir).await.map_err(|error| {
        Finding::wrong(
            format!("the private net's folder is damaged: {error}"),
            dir.display().to_string(),
            "`phantasma net down --purge`, then `net up`",
        )
    })?;
    let url = setup.context.rpc().url().to_owned();
    let port = match &status.rpc_url {
        Some(url) => local_port(url),
        None => local_port(&url).filter(|port| *port == DEFAULT_RPC_PORT),
    };
    let Some(port) = port.filter(|_| !status.running) else {
        return Ok(None);
    };
    // A node that was started in another way may be the one that is meant.
    let answers = setup.rpc().get_version().await.is_ok();
    Ok((!answers || local_port(&url) != Some(port)).then_some(port))
}

/// The port of an address on this machine.
pub(super) fn local_port(url: &str) -> Option<u16> {
    let rest = url.strip_prefix("http://")?;
    let rest = rest.split('/').next()?;
    let (host, port) = rest.rsplit_once(':')?;
    let local = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback());
    port.parse().ok().filter(|_| local)
}

fn theirs(program: &str, protocol: Protocol, address: SocketAddr) -> Result<String, Finding> {
    if address.port() == 0 {
        return Ok(format!("{protocol} any"));
    }
    let held = holder(protocol, address).map_err(|error| unknown(&error))?;
    let Some(holder) = held else {
        return Ok(format!("{protocol} {address} free"));
    };
    let short = program.get(..NAME_BYTES).unwrap_or(program);
    match &holder.process {
        Some((pid, name)) if name == short => {
            Ok(format!("{protocol} {address} of {program}, process {pid}"))
        }
        Some(_) | None => Err(Finding::wrong(
            format!("port taken: {} holds it", holder.describe()),
            format!("{protocol} {address}"),
            "stop that program, or give another port with the setting ",
        )),
    }
}

fn unknown(error: &std::io::Error) -> Finding {
    Finding::skipped(format!("the system does not tell who listens: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ports_of_this_machine_are_ours_to_look_at() {
        for (url, expected) in [
            ("http://127.0.0.1:30333", Some(30333)),
            ("http://localhost:1/x", Some(1)),
            ("http://[::1]:2", Some(2)),
            ("http://10.0.0.1:30333", None),
            ("https://seed1t5.neo.org:20332", None),
            ("http://127.0.0.1", None),
        ] {
            assert_eq!(local_port(url), expected, "{url}");
        }
    }
}
