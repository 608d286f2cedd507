//! The sale's part of the scenario.

use neo_client::{Account, GAS, NEO};
use phantasma::amount::soul;
use phantasma::time::show_utc;
use phantasma_sdk::contract::ContractError;
use phantasma_sdk::sale::{Currency, SaleEvent};

use super::people::NEO_GIVEN;
use super::{DAY_MS, ONE, World, say, step};

/// SOUL that an advisor is promised without buying.
pub(super) const ALLOTTED: u64 = 12_000 * ONE;

/// The tiers of deploy/params.toml.
const PUBLIC: u64 = 1;
const PRESALE: u64 = 2;
const TEAM: u64 = 3;
/// The advisors' lock-up there.
const ADVISORS: u64 = 2;

/// A part of what is locked up, and when it is free.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    due_ms: u64,
    days: u64,
    who: Who,
    amount: u64,
}

#[derive(Clone, Copy, Debug)]
enum Who {
    Bob,
    Carol,
    Dave,
}

/// All parts in the order of time, written out from what was promised: the presale's bonus of 5460 SOUL in thirds after
/// 30, 60 and 90 days; the advisor's 12000 monthly in twelfths after 120 days; the team's 8000 in quarters after 360, 540,
/// 720 and 900 days.
pub(super) fn parts(end_ms: u64) -> Vec<Part> {
    let mut rows: Vec<(u64, Who, u64)> = vec![
        (30, Who::Bob, 1820),
        (60, Who::Bob, 1820),
        (90, Who::Bob, 1820),
        (360, Who::Carol, 2000),
        (540, Who::Carol, 2000),
        (720, Who::Carol, 2000),
        (900, Who::Carol, 2000),
    ];
    rows.extend((0..12).map(|month| (120 + 30 * month, Who::Dave, 1000)));
    rows.sort_by_key(|(days, _, _)| *days);
    let part = |(days, who, whole)| Part {
        due_ms: end_ms + days * DAY_MS,
        days,
        who,
        amount: whole * ONE,
    };
    rows.into_iter().map(part).collect()
}

impl World {
    /// The sale from its opening to its end, whose time it gives.
    pub(super) async fn sell(&mut self) -> u64 {
        step("the sale is open: three tiers buy, a stranger may not");
        self.fill_whitelist().await;
        let dave = self.people.dave.clone();
        let refused = self.sale.buy(&dave, Currency::Neo, 1).await;
        refusal(refused, "not on the whitelist");

        // 50 NEO would be 13650 SOUL, but the cap is 10000: 36 NEO are taken.
        let alice = self.people.alice.clone();
        self.buy(&alice, Currency::Neo, 50, [36, 14, 9828 * ONE, 0])
            .await;
        assert_eq!(self.holds(&NEO, &alice.script_hash).await, NEO_GIVEN - 36);
        let bob = self.people.bob.clone();
        let expected = [100, 0, 27_300 * ONE, 5460 * ONE];
        self.buy(&bob, Currency::Neo, 100, expected).await;
        let carol = self.people.carol.clone();
        let expected = [100 * ONE, 0, 8000 * ONE, 0];
        self.buy(&carol, Currency::Gas, 100 * ONE, expected).await;
        assert_eq!(self.soul_of(&carol).await, 0);

        self.stop_and_go(&alice).await;
        let admin = self.people.admin.clone();
        let shares = [(dave.script_hash, ALLOTTED)];
        let receipt = self.sale.allot(&admin, &shares, ADVISORS).await;
        self.ledger
            .record(&receipt.unwrap_or_else(|e| panic!("{e}")));
        self.end(&admin, &alice).await
    }

    async fn fill_whitelist(&mut self) {
        let (admin, people) = (self.people.admin.clone(), &self.people);
        for (account, tier) in [
            (people.alice.script_hash, PUBLIC),
            (people.bob.script_hash, PRESALE),
            (people.carol.script_hash, TEAM),
        ] {
            let listed = self.sale.whitelist(&admin, &[account], Some(tier)).await;
            listed.unwrap_or_else(|e| panic!("{e}"));
        }
    }

    /// `expected` is what is accepted and what comes back, then SOUL and bonus.
    async fn buy(&mut self, buyer: &Account, with: Currency, amount: u64, expected: [u64; 4]) {
        let quote = self.sale.quote(&buyer.script_hash, with, amount).await;
        let quote = quote.unwrap_or_else(|e| panic!("{e}"));
        let quoted = [quote.accepted, quote.refund, quote.base, quote.bonus];
        assert_eq!(quoted, expected);
        let receipt = self.sale.buy(buyer, with, amount).await;
        let receipt = receipt.unwrap_or_else(|e| panic!("{e}"));
        let sold = self.sale.events(&receipt).into_iter().find_map(|event| {
            let SaleEvent::Sold {
                accepted,
                refund,
                base,
                bonus,
                ..
            } = event
            else {
                return None;
            };
            Some([accepted, refund, base, bonus])
        });
        assert_eq!(sold, Some(expected));
        self.ledger.record(&receipt);
        let [accepted, refund, base, bonus] = expected;
        let shown = |units| match with {
            Currency::Neo => format!("{units} NEO"),
            Currency::Gas => format!("{} GAS", soul(units)),
        };
        say(&format!(
            "{} gets {} SOUL and {} on top for {}; {} come back, {} SOUL are locked up",
            buyer.address,
            soul(base),
            soul(bonus),
            shown(accepted),
            shown(refund),
            soul(quote.locked)
        ));
    }

    /// While it is paused nobody buys, and nobody but the administrator may pause.
    async fn stop_and_go(&mut self, buyer: &Account) {
        let admin = self.people.admin.clone();
        refusal(self.sale.pause(buyer).await, "only for the administrator");
        let paused = self.sale.pause(&admin).await;
        paused.unwrap_or_else(|e| panic!("{e}"));
        let refused = self.sale.buy(buyer, Currency::Gas, ONE).await;
        refusal(refused, "sale: paused");
        let resumed = self.sale.resume(&admin).await;
        resumed.unwrap_or_else(|e| panic!("{e}"));
    }

    async fn end(&mut self, admin: &Account, late: &Account) -> u64 {
        step("the sale ends, and what was raised goes to the treasury");
        let ended = self.sale.end(admin).await;
        ended.unwrap_or_else(|e| panic!("{e}"));
        let refused = self.sale.buy(late, Currency::Gas, ONE).await;
        refusal(refused, "sale: has ended");
        let withdrawn = self.sale.withdraw(late).await;
        withdrawn.unwrap_or_else(|e| panic!("{e}"));
        let treasury = self.people.treasury.script_hash;
        let neo = self.holds(&NEO, &treasury).await;
        let gas = self.holds(&GAS, &treasury).await;
        say(&format!("{neo} NEO and {} GAS raised", soul(gas)));
        assert_eq!(neo, 136);
        // NEO that lies on an account makes GAS for it.
        assert!((100 * ONE..101 * ONE).contains(&gas));
        let info = self.sale.sale_info().await;
        let info = info.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(info.sold, (9828 + 27_300 + 5460 + 8000) * ONE);
        info.end_ms
    }

    /// Lets each part's day come, and has it paid out: not a minute sooner.
    pub(super) async fn unlock(&mut self, parts: &[Part]) {
        step("what is locked up is paid out on its days");
        let payer = self.people.foundation.clone();
        let mut last_day = None;
        for part in parts {
            let account = match part.who {
                Who::Bob => self.people.bob.clone(),
                Who::Carol => self.people.carol.clone(),
                Who::Dave => self.people.dave.clone(),
            };
            // Two parts may have one day.
            if last_day != Some(part.days) {
                self.net.travel_to(part.due_ms - 60_000).await;
                let early = self.sale.unlock_tokens(&payer, &account.script_hash).await;
                refusal(early, "nothing is free yet");
            }
            last_day = Some(part.days);
            self.net.travel_to(part.due_ms).await;
            let unlocked = self.sale.unlock_tokens(&payer, &account.script_hash).await;
            let (paid, receipt) = unlocked.unwrap_or_else(|e| panic!("{e}"));
            self.ledger.record(&receipt);
            assert_eq!(paid, part.amount, "{part:?}");
            say(&format!(
                "day {:3}, {}: {} SOUL for {}",
                part.days,
                show_utc(part.due_ms),
                soul(paid),
                account.address
            ));
        }
    }
}

/// Panics unless the contract refused with these words.
#[track_caller]
pub(super) fn refusal<T>(result: Result<T, ContractError>, words: &str) {
    match result {
        Ok(_) => panic!("it went through, and should not: {words}"),
        Err(error) => {
            let said = error.exception().unwrap_or_default();
            assert!(said.contains(words), "{words:?} is not in: {error}");
        }
    }
}
