//! The service API: who gets in, what it answers, and how it ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Instant;

use phantasma::net::process::exists;
use phantasma_net::Identity;
use phantasma_sdk::relay::{ChainId, RelayClient, RelayClientError, Since};
use phantasma_tests::NETWORK_MAGIC;
use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};

use super::world::{PATIENCE, World, answer, field, relay_words};

/// Two blocks and a bit.
const FILE_BYTES: usize = 600_000;

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_serves_those_with_a_token_alone_and_does_what_they_ask() {
    let world = World::start().await;
    nobody_gets_in_without_a_token(&world).await;
    a_token_is_good_for_its_scopes_alone(&world).await;
    other_hosts_and_other_pages_get_nothing(&world).await;
    a_box_is_made_and_events_tell_of_it(&world).await;
    a_gate_is_explained_priced_and_stepped_through(&world).await;
    a_file_is_put_and_read_by_range(&world).await;
    every_metric_of_the_dashboard_is_printed(&world).await;
    it_ends_on_sigterm_with_a_listener_at_its_door(world).await;
}

async fn nobody_gets_in_without_a_token(world: &World) {
    let client = reqwest::Client::new();
    let (status, body) = answer(client.get(world.url("/api/status"))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body["error"]["code"], "unauthorized");
    let wrong = client
        .get(world.url("/api/wallet"))
        .bearer_auth("ab".repeat(32));
    assert_eq!(answer(wrong).await.0, StatusCode::UNAUTHORIZED);
    // Not in the address: that would be something another page can make a browser send.
    let in_query = client.get(world.url(&format!("/api/status?token={}", world.token)));
    assert_eq!(answer(in_query).await.0, StatusCode::UNAUTHORIZED);
    let path = world.dir.path().join("user/serve/tokens.toml");
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for open in ["/healthz", "/metrics", "/", "/openapi.yaml", "/app.js"] {
        let (status, _) = answer(client.get(world.url(open))).await;
        assert_eq!(status, StatusCode::OK, "{open}");
    }
}

async fn a_token_is_good_for_its_scopes_alone(world: &World) {
    let new = json!({"name": "reader", "scopes": ["read"]});
    let made = world.ask(Method::POST, "/api/tokens").json(&new);
    let secret = world.json(made).await["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    let client = reqwest::Client::new();
    let reader = |method, path: &str| client.request(method, world.url(path)).bearer_auth(&secret);
    let (status, body) = answer(reader(Method::GET, "/api/status")).await;
    assert_eq!(
        (status, &body["scopes"]),
        (StatusCode::OK, &json!(["read"]))
    );
    let root = "00".repeat(32);
    for (method, path) in [
        (Method::POST, "/api/boxes".to_owned()),
        (Method::POST, "/api/uploads?name=x".to_owned()),
        (Method::GET, format!("/api/contents/{root}/bytes")),
        (Method::POST, format!("/api/contents/{root}/ticket")),
        (Method::GET, "/api/tokens".to_owned()),
        (Method::DELETE, "/api/tokens/console".to_owned()),
    ] {
        let (status, body) = answer(reader(method, &path)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path} {body}");
    }
    world
        .json(world.ask(Method::DELETE, "/api/tokens/reader"))
        .await;
    let (status, _) = answer(reader(Method::GET, "/api/status")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

async fn other_hosts_and_other_pages_get_nothing(world: &World) {
    let rebound = world
        .ask(Method::GET, "/api/status")
        .header(header::HOST, "evil.example");
    assert_eq!(answer(rebound).await.0, StatusCode::FORBIDDEN);
    let elsewhere = world
        .ask(Method::GET, "/api/status")
        .header(header::ORIGIN, "http://evil.example");
    let answer = elsewhere.send().await.unwrap();
    let headers = answer.headers();
    assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    // A form can send text, but not JSON.
    let form = world.ask(Method::POST, "/api/boxes").body("{}");
    let (status, _) = super::world::answer(form).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = json!({"text": "x".repeat(300 << 10)});
    let large = world.ask(Method::POST, "/api/gates/assemble").json(&large);
    let (status, _) = super::world::answer(large).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let missing = world.ask(Method::GET, "/api/nothing");
    let (status, body) = super::world::answer(missing).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (StatusCode::NOT_FOUND, &json!("not_found"))
    );
}

/// The events of a listener, until one fits.
async fn next_event(events: &mut Response, fits: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    let waiting = async {
        loop {
            let piece = events.chunk().await.unwrap();
            text += &String::from_utf8_lossy(&piece.expect("the events have ended"));
            if let Some(found) = text.split("\n\n").find(|event| fits(event)) {
                return found.to_owned();
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap()
}

async fn a_box_is_made_and_events_tell_of_it(world: &World) {
    let mut events = world.ask(Method::GET, "/api/events").send().await.unwrap();
    let gate = json!({"text": "STATE own\nSTATE write\nGE"});
    let new = json!({"name": "letters", "gate": gate});
    let made = world
        .json(world.ask(Method::POST, "/api/boxes").json(&new))
        .await;
    let id = made["box"].as_u64().unwrap();
    let told = next_event(&mut events, |e| {
        e.contains("event: box") && e.contains("created")
    })
    .await;
    assert!(told.contains("letters"), "{told}");
    let again = world.ask(Method::POST, "/api/boxes").json(&new);
    let (status, body) = answer(again).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    // The contract's own words, without instruction numbers.
    let message = body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("taken") && !message.contains("ASSERTMSG"),
        "{message}"
    );
    let written = json!({"text": "hello"});
    let path = format!("/api/boxes/{id}/contents");
    let written = world
        .json(world.ask(Method::POST, &path).json(&written))
        .await;
    assert_eq!(written["index"], 0);
    next_event(&mut events, |e| e.contains("\"what\":\"written\"")).await;
    let read = world.get("/api/boxes/letters/contents/0").await;
    assert_eq!(read["value"], json!({"text": "hello"}));
    let shown = world.get("/api/boxes/letters").await;
    assert_eq!(shown["own"], true);
    let words = shown["explanation"].as_str().unwrap();
    assert!(words.contains("Anybody else may read"), "{words}");
    let new = json!({"gate": {"text": "STATE own"}});
    let replaced = world.ask(Method::PUT, "/api/boxes/letters/gate").json(&new);
    world.json(replaced).await;
    let words = world.get("/api/boxes/letters").await["explanation"].clone();
    assert!(
        words.as_str().unwrap().contains("Only the owner"),
        "{words}"
    );
    // What the command line says is the same.
    let listed = world.phantasma(&["--json", "box", "list"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed, world.get("/api/boxes").await);
}

async fn a_gate_is_explained_priced_and_stepped_through(world: &World) {
    let wrong = json!({"script": {"text": "STATE own\nSTATE wirte"}});
    let asked = world.ask(Method::POST, "/api/gates/explain").json(&wrong);
    let (status, body) = answer(asked).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let error = &body["error"];
    assert_eq!(
        (&error["code"], &error["line"]),
        (&json!("assembler"), &json!(2))
    );
    let gate = json!({"text": "STATE own\nSTATE write\nGE"});
    let asked = json!({"gate": gate, "as": "write"});
    let priced = world.ask(Method::POST, "/api/gates/estimate").json(&asked);
    let priced = world.json(priced).await;
    assert_eq!(priced["method"], "writeContent");
    let gas: f64 = priced["at_most"]["gas"].as_str().unwrap().parse().unwrap();
    assert!(gas > 0.0 && gas < 1.0, "{gas}");
    for (caller, live, state) in [
        (None, false, "FAULT"),
        (Some("me"), false, "HALT"),
        (None, true, "FAULT"),
    ] {
        let asked = json!({"gate": gate, "as": "write", "caller": caller, "owner": if live { None } else { caller }, "live": live});
        let record = world.ask(Method::POST, "/api/gates/debug").json(&asked);
        let record = world.json(record).await;
        assert_eq!(record["outcome"]["state"], state, "{caller:?} {live}");
        let steps = record["steps"].as_array().unwrap();
        assert!(steps.len() >= 3, "{steps:?}");
        assert_eq!(steps[0]["instruction"], "STATE own");
        assert_eq!(record["listings"][0][2]["text"], "GE");
    }
    let ready = world.get("/api/gates/ready").await;
    assert_eq!(ready["gates"].as_array().unwrap().len(), 8);
}

async fn a_file_is_put_and_read_by_range(world: &World) {
    let plain: Vec<u8> = (0..FILE_BYTES as u64)
        .map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 53) as u8)
        .collect();
    let mut events = world.ask(Method::GET, "/api/events").send().await.unwrap();
    let too_large = world
        .ask(Method::POST, "/api/uploads?name=x")
        .body(vec![0; 33 << 20]);
    let refused = too_large.send().await;
    // Refused by its length, before it is read; the connection may be gone before the answer is seen.
    assert!(refused.is_err() || refused.unwrap().status() == StatusCode::PAYLOAD_TOO_LARGE);
    for query in [
        "",
        "name=x&replicas=0",
        "name=x&replicas=9",
        "name=x&priority=most",
        "name=x&odd=1",
    ] {
        let path = format!("/api/uploads?{query}");
        let (status, body) = answer(world.ask(Method::POST, &path).body("x")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query} {body}");
    }
    let path = "/api/uploads?name=a%20film.webm&type=video%2Fwebm&replicas=3";
    let sent = world.ask(Method::POST, path).body(plain.clone());
    let id = world.json(sent).await["id"].as_u64().unwrap();
    next_event(&mut events, |e| {
        e.contains("event: upload") && e.contains("storing")
    })
    .await;
    let path = format!("/api/uploads/{id}");
    let over = |job: &Value| job["phase"] == "done" || job["phase"] == "failed";
    let job = world.until(&path, over).await;
    assert_eq!(job["phase"], "done", "{job}");
    assert_eq!(job["done_bytes"], FILE_BYTES);
    let root = job["root"].as_str().unwrap().to_owned();
    let left = fs::read_dir(world.dir.path().join("user/serve/uploads")).unwrap();
    assert_eq!(left.count(), 0, "the plain file is still there");
    let listed = world.get("/api/contents").await;
    assert_eq!(listed["contents"][0]["name"], "a film.webm");

    let path = format!("/api/contents/{root}/bytes");
    let whole = world.ask(Method::GET, &path).send().await.unwrap();
    assert_eq!(whole.headers()[header::CONTENT_TYPE], "video/webm");
    assert!(
        whole.bytes().await.unwrap() == plain,
        "other bytes came back"
    );
    let ticket = world.ask(Method::POST, &format!("/api/contents/{root}/ticket"));
    let address = world.json(ticket).await["url"].as_str().unwrap().to_owned();
    let client = reqwest::Client::new();
    for (range, expected) in [
        ("bytes=262140-262150", Some(262_140..262_151)),
        ("bytes=-7", Some(FILE_BYTES - 7..FILE_BYTES)),
        ("bytes=600000-", None),
    ] {
        let asked = client.get(world.url(&address)).header(header::RANGE, range);
        let answer = asked.send().await.unwrap();
        let Some(expected) = expected else {
            assert_eq!(answer.status(), StatusCode::RANGE_NOT_SATISFIABLE);
            continue;
        };
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
        let part = format!("bytes {}-{}/{FILE_BYTES}", expected.start, expected.end - 1);
        assert_eq!(answer.headers()[header::CONTENT_RANGE], part);
        assert!(answer.bytes().await.unwrap() == plain[expected], "{range}");
    }
    let odd = client.get(world.url("/media/00"));
    assert_eq!(answer(odd).await.0, StatusCode::NOT_FOUND);

    let path = format!("/api/contents/{root}/health");
    let health = world
        .until(&path, |h| h["proofs"]["shown"].as_u64() >= Some(2))
        .await;
    assert_eq!(health["now"]["stored"], 3);
    assert_eq!(health["now"]["fewest"], 3);
    assert!(
        health["now"]["confidence"].as_f64().unwrap() > 0.0,
        "{health}"
    );
    assert!(health["history"].as_array().unwrap().len() >= 2, "{health}");
    // The command line reads what the daemon has put: the key is in the account's own keystore.
    let copy = world.dir.path().join("copy");
    let mut args = vec![
        "content",
        "get",
        root.as_str(),
        "--out",
        copy.to_str().unwrap(),
    ];
    let nodes: Vec<String> = world.nodes.iter().map(|node| field(node, "data")).collect();
    args.extend(nodes.iter().flat_map(|node| ["--node", node.as_str()]));
    world.phantasma(&args);
    assert!(fs::read(copy).unwrap() == plain);
}

/// Each metric that the dashboard asks for is printed by one of the three services.
async fn every_metric_of_the_dashboard_is_printed(world: &World) {
    let peer = world.relay_peer();
    for keep in ["chain", "relay", "nothing"] {
        world.phantasma(&[
            "message", "send", "letters", "--text", "x", "--keep", keep, "--relay", &peer,
        ]);
    }
    a_box_that_nobody_made_is_refused(world, &peer).await;
    world
        .until("/api/relay", |relay| {
            let last = relay["points"].as_array().and_then(|points| points.last());
            last.is_some_and(|point| point["accepted"].as_f64() >= Some(3.0))
        })
        .await;
    let network = world.get("/api/nodes").await;
    let nodes = network["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 3, "{network}");
    assert!(
        nodes
            .iter()
            .all(|node| node["answer_ms"].is_u64() && node["registered"] == true)
    );
    let mut printed = String::new();
    for base in [
        world.url(""),
        relay_words(&world.relay).1,
        format!("http://{}", field(&world.nodes[0], "http")),
    ] {
        printed += &reqwest::get(format!("{base}/metrics"))
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
    }
    let named = super::dashboard_metrics();
    assert!(named.len() > 20, "{named:?}");
    let types: Vec<&str> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect();
    for name in named {
        let plain = name.trim_end_matches("_total");
        let known = types.iter().any(|line| {
            let (metric, kind) = line.split_once(' ').unwrap();
            // OpenMetrics writes a counter's samples with _total.
            metric == plain && (kind == "counter") == name.ends_with("_total")
        });
        assert!(known, "nothing prints {name}\n{printed}");
    }
}

/// So that there is a refusal to be counted.
async fn a_box_that_nobody_made_is_refused(world: &World, peer: &str) {
    let (key, address) = peer.split_once('@').unwrap();
    let key = hex::decode(key).unwrap().try_into().unwrap();
    let served = ChainId {
        network: NETWORK_MAGIC,
        contract: world.deployed.hash.0,
    };
    let (address, me) = (address.parse().unwrap(), Identity::random().unwrap());
    let client = RelayClient::connect(address, &me, Some(key), served).await;
    let refused = client.unwrap().subscribe(999, Since::Now).await;
    assert!(matches!(refused, Err(RelayClientError::Refused { .. })));
}

async fn it_ends_on_sigterm_with_a_listener_at_its_door(world: World) {
    let listening = world.ask(Method::GET, "/api/events").send().await.unwrap();
    let pid = world.daemon.pid();
    let killed = Command::new("kill")
        .args(["-TERM", &pid.to_string()])
        .status();
    assert!(killed.unwrap().success());
    let started = Instant::now();
    // Cut off or ended: either way nobody waits any more.
    let ended = tokio::time::timeout(PATIENCE, listening.text()).await;
    drop(ended.unwrap());
    // The child stays a zombie until it is waited for, which the guard does; its listener is gone long before.
    drop(world);
    assert!(!exists(pid));
    assert!(
        started.elapsed().as_secs() < 60,
        "it took {:?}",
        started.elapsed()
    );
}
