//! The page in a real browser: what a person does, from a new box to a film that plays and its proofs.

use std::fs;
use std::process::Command;
use std::time::Duration;

use phantasma_tests::browser;

use super::docs;
use super::world::World;

/// All of it takes a minute and a half on a machine that has nothing else to do.
const PATIENCE: Duration = Duration::from_secs(540);

/// 120 blocks.
const LARGE_BYTES: u64 = 30 << 20;

/// Pictures of the page go to `docs/images` where they are missing, or all of them with this variable.
const DRAW: &str = "PHANTASMA_SCREENSHOTS";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_makes_a_box_edits_a_gate_and_plays_a_film_that_is_proven() {
    let world = World::start().await;
    let film = world.dir.path().join("evening.webm");
    let made = Command::new(browser::ffmpeg())
        .args(["-hide_banner", "-loglevel", "error", "-f", "lavfi"])
        .args([
            "-i",
            "testsrc2=size=640x360:rate=24:duration=8",
            "-f",
            "lavfi",
        ])
        .args(["-i", "sine=frequency=330:duration=8", "-c:v", "libvpx"])
        .args([
            "-deadline",
            "realtime",
            "-cpu-used",
            "8",
            "-b:v",
            "4M",
            "-minrate",
            "4M",
        ])
        .args(["-maxrate", "4M", "-c:a", "libvorbis"])
        .arg(&film)
        .status();
    assert!(made.unwrap().success(), "ffmpeg makes no film");
    // Enough blocks for a bar that moves.
    let large = world.dir.path().join("archive.bin");
    let noise: Vec<u8> = (0..LARGE_BYTES)
        .map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 53) as u8)
        .collect();
    fs::write(&large, noise).unwrap();
    // Something for the relay to have done.
    let peer = world.relay_peer();
    let (id, _) = world
        .contract
        .create_box(&world.account, "news", &phantasma_vm::free_gate())
        .await
        .unwrap();
    let id = id.to_string();
    for text in ["first", "second", "third"] {
        world.phantasma(&["message", "send", &id, "--text", text, "--relay", &peer]);
    }
    let pictures = world.dir.path().join("pictures");
    fs::create_dir_all(&pictures).unwrap();
    let url = world.url(&format!("/#token={}", world.token));
    let settings = [
        ("URL", url.as_str()),
        ("FILM", film.to_str().unwrap()),
        ("LARGE", large.to_str().unwrap()),
        ("PICTURES", pictures.to_str().unwrap()),
        ("PATIENCE_MS", "120000"),
    ];
    let said = tokio::task::block_in_place(|| browser::run("console.mjs", &settings, PATIENCE));
    assert!(said.trim_end().ends_with("all of it"), "{said}");
    let images = docs().join("images");
    fs::create_dir_all(&images).unwrap();
    for entry in fs::read_dir(&pictures).unwrap() {
        let path = entry.unwrap().path();
        let to = images.join(path.file_name().unwrap());
        if !to.exists() || std::env::var_os(DRAW).is_some() {
            fs::copy(&path, &to).unwrap();
        }
    }
}
