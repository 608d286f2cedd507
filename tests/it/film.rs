//! A film in a real browser: put on real nodes, played through the gateway, and no more fetched than is seen.

use std::{
    fs,
    ops::Range,
    process::Command,
    time::{Duration, Instant},
};

use phantasma_tests::{TestNet, browser};
use serde_json::Value;

use crate::{
    gateway::{counter, curl, opening, put, with_token},
    pdfs::{Fleet, Process},
};

/// For the browser's script.
const PATIENCE: Duration = Duration::from_secs(120);

/// Two minutes, the first red and the second blue. Noise in a lossless format makes it some 46 MB at no cost; the index is at
/// the front, as it is in films for the web.
const FILM: &str = "-hide_banner -loglevel error \
    -f lavfi -i color=red:size=160x120:rate=10:duration=60 \
    -f lavfi -i color=blue:size=160x120:rate=10:duration=60 \
    -f lavfi -i anoisesrc=sample_rate=96000:duration=120:seed=7 \
    -filter_complex [0][1]concat[picture] -map [picture] -map 2 \
    -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 10 \
    -c:a flac -compression_level 0 -sample_fmt s32 -ac 2 -strict -2 -movflags +faststart";

/// Bytes of the content that were given, by the node's log.
fn given(log: &str) -> Vec<Range<u64>> {
    let read = |line: &str| {
        let fields = &serde_json::from_str::<Value>(line).ok()?["fields"];
        let given = fields["message"] == "given";
        given.then(|| fields["from"].as_u64().unwrap()..fields["end"].as_u64().unwrap())
    };
    log.lines().filter_map(read).collect()
}

/// The node's log and what it gave, once it has noticed that the browser is gone.
async fn all_given(node: &Process) -> (String, Vec<Range<u64>>) {
    let started = Instant::now();
    loop {
        let log = fs::read_to_string(&node.log).unwrap();
        let given = given(&log);
        if given.len() as u64 == counter(node, "gateway_answers_total{status=\"206\"}") {
            return (log, given);
        }
        assert!(
            started.elapsed() < PATIENCE,
            "{given:?} are not all answers"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chromium_plays_a_film_seeks_and_fetches_only_what_it_shows() {
    let net = TestNet::start().await;
    let deployed = net.deploy_phantasma().await;
    let dir = tempfile::tempdir().unwrap();
    let film = dir.path().join("film.mp4");
    let made = Command::new(browser::ffmpeg())
        .args(FILM.split_whitespace())
        .arg(&film)
        .status();
    assert!(made.unwrap().success());

    let fleet = Fleet {
        dir: dir.path(),
        rpc: net.rpc_url().to_owned(),
        contract: deployed.hash,
    };
    // The gateway's node holds about a third of the film; one of the others has the rest.
    let mut arguments = with_token(dir.path());
    arguments.push("--log-json".into());
    let first = fleet.start_with(0, &[], &arguments);
    let others = [1, 2].map(|n| fleet.start_with(n, &[&first], &[]));
    let nodes = [&first, &others[0], &others[1]].map(|process| process.node.clone());
    let put = put(&net, &deployed, &nodes, &film, 1).await;

    // A browser sends no keys: it gets a link.
    let mut wish = opening(&put);
    wish.extend(["--request".into(), "POST".into()]);
    wish.push(format!(
        "http://{}/content/{}/links?type=video/mp4",
        first.http, put.root
    ));
    let (status, link) = tokio::task::block_in_place(|| curl(&wish));
    assert_eq!(status, 201);
    let link: Value = serde_json::from_slice(&link).unwrap();

    let gateway = format!("http://{}", first.http);
    let patience = PATIENCE.as_millis().to_string();
    let environment = [
        ("GATEWAY", gateway.as_str()),
        ("FILM", link["path"].as_str().unwrap()),
        ("PATIENCE_MS", &patience),
    ];
    let said = tokio::task::block_in_place(|| {
        browser::run("film.mjs", &environment, PATIENCE + Duration::from_secs(60))
    });
    let seen: Value = serde_json::from_str(said.trim()).unwrap();
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{seen}"));

    // It was played in both places, and the picture there was the one of that time.
    assert!((number(&seen["duration"]) - 120.0).abs() < 1.0, "{seen}");
    assert!(number(&seen["first"]["at"]) > 1.0, "{seen}");
    assert!(
        number(&seen["second"]["at"]) > number(&seen["middle"]) + 1.0,
        "{seen}"
    );
    let (red, blue) = (&seen["first"]["colour"], &seen["second"]["colour"]);
    assert!(
        number(&red["red"]) > 200.0 && number(&red["blue"]) < 50.0,
        "{seen}"
    );
    assert!(
        number(&blue["blue"]) > 200.0 && number(&blue["red"]) < 50.0,
        "{seen}"
    );
    assert!(number(&seen["frames"]) > 15.0, "{seen}");

    // The gateway gave the beginning and what follows the middle, and neither of what lies between and after.
    let (log, given) = all_given(&first).await;
    let part = |percent: u64| put.size * percent / 100;
    let touches = |range: Range<u64>| {
        given
            .iter()
            .any(|given| given.start < range.end && range.start < given.end)
    };
    assert!(touches(0..1) && touches(part(50)..part(53)), "{given:?}");
    assert!(!touches(part(42)..part(49)), "{given:?} of {}", put.size);
    assert!(!touches(part(92)..part(99)), "{given:?} of {}", put.size);
    let all = put.size.div_ceil(262_144);
    let from = |place: &str| counter(&first, &format!("gateway_blocks_total{{from=\"{place}\"}}"));
    let (own, fetched) = (from("store"), from("others"));
    assert!(own > 0 && fetched > 0, "{own} own, {fetched} of others");
    assert!(own + fetched < all * 3 / 4, "{own} and {fetched} of {all}");
    assert!(!log.contains("panicked"));
}
