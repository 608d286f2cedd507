//! The SDK's examples that use a relay, as people run them: programs with terminals.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use phantasma_tests::binary;
use phantasma_tests::torture::relay::{RelayPlace, World};

const PATIENCE: Duration = Duration::from_secs(60);

/// A program whose input we type and whose lines we read.
struct Terminal {
    child: Child,
    input: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
}

impl Terminal {
    fn open(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            lines,
        }
    }

    fn types(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    fn reads(&self, expected: &str) {
        let line = self.lines.recv_timeout(PATIENCE);
        assert_eq!(line.as_deref(), Ok(expected));
    }

    /// Closes the input, and expects the program to end well.
    fn ends(mut self) {
        self.input = None;
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn example(name: &str) -> PathBuf {
    let path = binary("phantasma-relay");
    let path = path.with_file_name("examples").join(name);
    assert!(
        path.is_file(),
        "{} is not built; run: cargo build -p phantasma-sdk --examples",
        path.display()
    );
    path
}

async fn world() -> (World, RelayPlace) {
    let world = World::new().await;
    let mut place = world.place("");
    world.start(&mut place, None);
    (world, place)
}

#[tokio::test]
async fn two_terminals_chat_and_a_third_reads_it_later_even_after_the_relay_was_killed() {
    let (world, mut place) = world().await;
    let chat = |place: &RelayPlace, name: &str| {
        let mut command = Command::new(example("chat"));
        command.args([world.net.rpc_url(), &world.contract().to_string()]);
        command.args([&world.box_id.to_string(), &place.peer(), name]);
        Terminal::open(&mut command)
    };
    let (mut alice, mut bob) = (chat(&place, "Alice"), chat(&place, "Bob"));
    alice.types("hello, is anybody here?");
    for terminal in [&alice, &bob] {
        terminal.reads("Alice: hello, is anybody here?");
    }
    bob.types("yes");
    for terminal in [&alice, &bob] {
        terminal.reads("Bob: yes");
    }
    bob.types("/quit");
    bob.ends();
    alice.ends();
    place.kill();
    world.start(&mut place, None);
    let carol = chat(&place, "Carol");
    carol.reads("Alice: hello, is anybody here?");
    carol.reads("Bob: yes");
    carol.ends();
}

#[tokio::test]
async fn an_oracles_values_reach_who_found_it_on_the_chain_and_nobody_elses_do() {
    let (world, place) = world().await;
    let arguments = |mode: &str| {
        let mut command = Command::new(example("oracle"));
        command.args([mode, world.net.rpc_url(), &world.contract().to_string()]);
        command.arg(world.box_id.to_string());
        command
    };
    let feed = |wif: &str| {
        let mut command = arguments("feed");
        command.arg(place.peer()).env("PHANTASMA_WIF", wif);
        Terminal::open(&mut command)
    };
    let mut oracle = feed(&world.owner_wif());
    oracle.reads("feeding");
    let watcher = Terminal::open(&mut arguments("watch"));
    watcher.reads(&format!("listening to {}", place.peer()));
    for value in ["NEO 12.50 USD", "NEO 12.51 USD"] {
        oracle.types(value);
        watcher.reads(value);
    }
    // The heartbeat repeats a value; the watcher prints changes only.
    std::thread::sleep(Duration::from_millis(2500));
    oracle.types("NEO 12.52 USD");
    watcher.reads("NEO 12.52 USD");
    oracle.ends();
    watcher.reads("silent for 5 s");
}
