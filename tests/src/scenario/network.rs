//! The storage network's part of the scenario: nodes, a content, proofs, rewards.

use std::time::{Duration, Instant};

use neo_client::TransactionBuilder;
use phantasma::amount::{reputation, soul};
use phantasma_sdk::contract::{ContentMode, ContentOrder, ContractError, Priority};
use phantasma_sdk::proofs::{Drawn, ProofsEvent, Role, ShownChunk};

use super::people::NODES;
use super::selling::refusal;
use super::{ONE, Pattern, World, say, step};

/// SOUL that the foundation lends each node: its fee, and what it pays for proofs.
const LENT: u64 = 1000 * ONE;
/// Of 30 days.
const PERIODS: u32 = 12;
/// How often the content is proved.
const PROOFS: usize = 30;
/// Proofs side by side.
const PAIRS: usize = 4;
/// The node that says it has the content, and has not.
const LIAR: usize = NODES - 1;
/// How long the chain may take to draw.
const PATIENCE: Duration = Duration::from_secs(90);

impl World {
    pub(super) async fn register_nodes(&mut self) {
        step("ten nodes register");
        let foundation = self.people.foundation.clone();
        for (n, node) in self.people.nodes.clone().iter().enumerate() {
            let lent = self
                .phantasma
                .transfer(&foundation, &node.script_hash, LENT);
            self.ledger
                .record(&lent.await.unwrap_or_else(|e| panic!("{e}")));
            let fee = self.proofs.quote_register_node(&node.script_hash).await;
            let endpoints = format!("10.0.0.{n}:4200");
            let registered = self.proofs.register_node(node, &endpoints).await;
            let (number, receipt) = registered.unwrap_or_else(|e| panic!("{e}"));
            self.ledger.record(&receipt);
            assert_eq!(number, n as u64 + 1);
            assert_eq!(
                self.soul_of(node).await,
                LENT - fee.unwrap_or_else(|e| panic!("{e}"))
            );
        }
    }

    /// Alice pays for a content, and all nodes offer it.
    pub(super) async fn store(&mut self, content: &Pattern) {
        step("Alice pays for a content of 1 GiB, of which the chain sees the root alone");
        let alice = self.people.alice.clone();
        let mut order = ContentOrder {
            root: content.root(),
            size: 1 << 30,
            mode: ContentMode::ReadOnly,
            priority: Priority::Normal,
            periods: PERIODS,
            max_payment: 0,
        };
        let settings = self.phantasma.settings().await;
        let fee = order.fee(&settings.unwrap_or_else(|e| panic!("{e}")));
        order.max_payment = fee.expect("a fee");
        let before = self.soul_of(&alice).await;
        let created = self.phantasma.create_content(&alice, &order).await;
        let (root, receipt) = created.unwrap_or_else(|e| panic!("{e}"));
        self.ledger.record(&receipt);
        // 4096 blocks, twelve periods, 0.01 SOUL, twice for normal priority.
        assert_eq!(before - self.soul_of(&alice).await, 98_304 * ONE / 100);
        say(&format!(
            "{} for {} SOUL",
            hex::encode(root),
            soul(order.max_payment)
        ));
        for node in &self.people.nodes {
            let offered = self.proofs.offer_content(node, &root).await;
            offered.unwrap_or_else(|e| panic!("{e}"));
        }
        let offers = self.proofs.offers_of(&root).await;
        assert_eq!(offers.unwrap_or_else(|e| panic!("{e}")).len(), NODES);
    }

    pub(super) async fn prove(&mut self, content: &Pattern) {
        step("the content is proved thirty times, and one node lies");
        let root = content.root();
        self.be_quiet().await;
        let (asker, liar) = (0, LIAR);
        self.ask(&[(asker, liar)], content).await;
        self.lie(asker, liar, content).await;
        let mut done = 0;
        while done < PROOFS {
            self.be_quiet().await;
            let pairs = self.pairs().await;
            let pairs = &pairs[..PAIRS.min(PROOFS - done)];
            self.ask(pairs, content).await;
            self.show(pairs, content).await;
            self.accept(pairs).await;
            done += pairs.len();
        }
        self.fail(asker, liar).await;
        let tally = self.proofs.content_proofs(&root).await;
        let tally = tally.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            [tally.challenges, tally.shown, tally.failures],
            [PROOFS as u64 + 1, PROOFS as u64, 1]
        );
        // 31 draws with one missing: 1 - 0.99^31 - 31 * 0.01 * 0.99^30.
        let sure = 1.0 - 0.99f64.powi(31) - 31.0 * 0.01 * 0.99f64.powi(30);
        assert!((tally.confidence as f64 / 1e6 - sure).abs() < 2e-6);
        say(&format!(
            "{} challenges, {} shown, {} failed: {:.2} % sure that at least 99 % of it is there",
            tally.challenges,
            tally.shown,
            tally.failures,
            tally.confidence as f64 / 1e4
        ));
    }

    /// So long without a proof that the two nodes' own reputations decide who asks.
    async fn be_quiet(&self) {
        let settings = self.proofs.settings().await;
        let quiet_ms = settings.unwrap_or_else(|e| panic!("{e}")).quiet_ms;
        self.net.travel_to(self.now_ms().await + quiet_ms).await;
    }

    async fn reputation(&self, node: usize) -> u64 {
        let account = self.people.nodes[node].script_hash;
        let info = self.proofs.node_info(&account).await;
        let info = info.unwrap_or_else(|e| panic!("{e}"));
        info.expect("a registered node").reputation
    }

    /// The best ask the worst; the liar is in none.
    async fn pairs(&self) -> Vec<(usize, usize)> {
        let mut order = Vec::new();
        for node in 0..LIAR {
            order.push((self.reputation(node).await, node));
        }
        order.sort_by_key(|(reputation, node)| (std::cmp::Reverse(*reputation), *node));
        let pair = |i: usize| (order[i].1, order[LIAR - 1 - i].1);
        (0..PAIRS).map(pair).collect()
    }

    /// Sends calls side by side and writes all of them down.
    async fn all(&mut self, calls: Vec<Result<TransactionBuilder, ContractError>>) {
        let rpc = self.net.rpc();
        let mut sent = Vec::new();
        for call in calls {
            let call = call.unwrap_or_else(|e| panic!("{e}"));
            sent.push(call.send(&rpc).await.unwrap_or_else(|e| panic!("{e}")));
        }
        for pending in sent {
            let receipt = pending.wait(&rpc).await;
            self.ledger
                .record(&receipt.unwrap_or_else(|e| panic!("{e}")));
        }
    }

    async fn ask(&mut self, pairs: &[(usize, usize)], content: &Pattern) {
        let nodes = &self.people.nodes;
        let root = content.root();
        let call = |(v, p): &(usize, usize)| {
            let (asker, asked) = (&nodes[*v], nodes[*p].script_hash);
            self.proofs.start_proof_call(asker, &asked, &root, None)
        };
        let calls = pairs.iter().map(call).collect();
        self.all(calls).await;
    }

    async fn drawn(&self, v: usize, p: usize) -> Drawn {
        let nodes = &self.people.nodes;
        let (asker, asked) = (nodes[v].script_hash, nodes[p].script_hash);
        let start = Instant::now();
        loop {
            let open = self.proofs.open_proof(&asker, &asked).await;
            let open = open.unwrap_or_else(|e| panic!("{e}"));
            if let Some(drawn) = open.expect("an open proof").drawn {
                return drawn;
            }
            assert!(start.elapsed() < PATIENCE, "no block draws");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn show(&mut self, pairs: &[(usize, usize)], content: &Pattern) {
        let mut calls = Vec::new();
        for (v, p) in pairs {
            let drawn = self.drawn(*v, *p).await;
            let (chunk, path) = content.proof(drawn.chunk);
            let shown = ShownChunk { chunk, path };
            let (asker, asked) = (&self.people.nodes[*v], &self.people.nodes[*p]);
            let (asker, nonce) = (&asker.script_hash, drawn.nonce);
            calls.push(self.proofs.show_proof_call(asked, asker, nonce, &shown));
        }
        self.all(calls).await;
    }

    async fn accept(&mut self, pairs: &[(usize, usize)]) {
        let nodes = &self.people.nodes;
        let call = |(v, p): &(usize, usize)| {
            let (asker, asked) = (&nodes[*v], &nodes[*p].script_hash);
            self.proofs
                .accept_proof_call(asker, &asker.script_hash, asked)
        };
        let calls = pairs.iter().map(call).collect();
        self.all(calls).await;
    }

    /// Shows zeros for the chunk that was drawn.
    async fn lie(&self, v: usize, p: usize, content: &Pattern) {
        let drawn = self.drawn(v, p).await;
        let (chunk, path) = content.proof(drawn.chunk);
        let shown = ShownChunk {
            chunk: vec![0; chunk.len()],
            path,
        };
        let (asker, asked) = (&self.people.nodes[v].script_hash, &self.people.nodes[p]);
        let lie = self.proofs.show_proof(asked, asker, drawn.nonce, &shown);
        refusal(lie.await, "the chunk does not belong");
    }

    /// The time for it is over.
    async fn fail(&mut self, v: usize, p: usize) {
        let before = self.reputation(p).await;
        let (asker, asked) = (
            self.people.nodes[v].script_hash,
            self.people.nodes[p].script_hash,
        );
        let payer = self.people.nodes[3].clone();
        let failed = self.proofs.fail_proof(&payer, &asker, &asked).await;
        self.ledger
            .record(&failed.unwrap_or_else(|e| panic!("{e}")));
        let after = self.reputation(p).await;
        assert_eq!((before, after), (500_000_000, 375_000_000));
        let average = self.proofs.average_reputation().await;
        let average = average.unwrap_or_else(|e| panic!("{e}"));
        assert!(average > after);
        let role = self.proofs.role_of(&asked).await;
        assert_eq!(role.unwrap_or_else(|e| panic!("{e}")), Role::Prover);
        say(&format!(
            "node{p}, who lied, falls from {} to {} points; the average is {}",
            reputation(before),
            reputation(after),
            reputation(average)
        ));
    }

    pub(super) async fn reward(&mut self) {
        step("a round of rewards is closed, drawn by a later block, and paid");
        let pool = self.phantasma.pool_balance().await;
        let pool = pool.unwrap_or_else(|e| panic!("{e}"));
        let share = self.proofs.settings().await;
        let share = share.unwrap_or_else(|e| panic!("{e}")).pot_share_percent;
        let closer = self.people.nodes[2].clone();
        let closed = self.proofs.obtain_rewards(&closer).await;
        let (paid, receipt) = closed.unwrap_or_else(|e| panic!("{e}"));
        assert!(!paid, "nothing is drawn yet");
        self.ledger.record(&receipt);
        let info = self.proofs.reward_info().await;
        let info = info.unwrap_or_else(|e| panic!("{e}"));
        let draw = info.draw.expect("a closed round");
        assert_eq!(draw, u64::from(receipt.block_index) + 1);
        while u64::from(self.now_index().await) < draw {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let payer = self.people.nodes[5].clone();
        let obtained = self.proofs.obtain_rewards(&payer).await;
        let (paid, receipt) = obtained.unwrap_or_else(|e| panic!("{e}"));
        assert!(paid);
        self.ledger.record(&receipt);
        let half = pool * share / 200;
        let mut events = self.proofs.events(&receipt).into_iter();
        let winners = events.find_map(|event| match event {
            ProofsEvent::RewardsPaid {
                validator,
                prover,
                amount,
                ..
            } => Some((validator, prover, amount)),
            _ => None,
        });
        let (validator, prover, amount) = winners.expect("rewards were paid");
        assert_eq!(amount, half);
        for (who, waited) in [
            (validator, &info.closed_validators),
            (prover, &info.closed_provers),
        ] {
            let node = self.proofs.node_info(&who).await;
            let node = node.unwrap_or_else(|e| panic!("{e}"));
            let number = node.expect("a winner is a node").number;
            assert!(waited.contains(&number), "{number} of {waited:?}");
            say(&format!("{} SOUL to node{}", soul(amount), number - 1));
        }
    }

    async fn now_index(&self) -> u32 {
        self.net.last_block().await.index
    }
}
