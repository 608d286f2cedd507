//! Months of lock-ups on a real node, whose clock is moved on from month to month.

use neo_client::{Account, ContractParam, GAS, NEO};
use phantasma_tests::TestNet;

use super::{DAY, Market, ONE, number};

/// Two and a half years in months of 30 days, and one more.
const MONTHS: u64 = 31;
const MINUTE_MS: u64 = 60_000;

/// Days after the end of the sale on which equal parts become free.
const PRESALE_DAYS: [u64; 3] = [30, 60, 90];
const TEAM_DAYS: [u64; 4] = [360, 540, 720, 900];
const ADVISOR_DAYS: [u64; 12] = [120, 150, 180, 210, 240, 270, 300, 330, 360, 390, 420, 450];

/// Somebody with locked SOUL, and what was paid out to him so far.
struct Holder {
    account: Account,
    days: &'static [u64],
    /// Had at once.
    free: u64,
    locked: u64,
    paid: u64,
}

impl Holder {
    /// How many of his days have come.
    fn parts(&self, day: u64) -> u64 {
        self.days.iter().filter(|due| **due <= day).count() as u64
    }

    /// What is free of the locked part on a day, counted from the end of the sale: all parts together are rounded down.
    fn out(&self, day: u64) -> u64 {
        let share = u128::from(self.locked) * u128::from(self.parts(day));
        (share / self.days.len() as u128) as u64
    }

    /// What `lockedOf` must say on a day: amount, next date, what is due.
    fn expected(&self, end: u64, day: u64) -> [u64; 3] {
        let next = self.days.iter().find(|due| **due > day);
        let next = next.map_or(0, |next| end + next * DAY);
        [self.locked - self.paid, next, self.out(day) - self.paid]
    }
}

async fn buyer(market: &Market<'_>, tier: u64, gas: u64) -> Account {
    let account = market.net.funded_account(gas).await;
    market
        .net
        .fund_neo(&account.address, 10)
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    market.whitelist(&account.address, tier).await;
    account
}

/// One of each lock-up: two bought, one was allotted.
async fn holders(market: &Market<'_>) -> Vec<Holder> {
    let presale = buyer(market, 2, 20).await;
    let team = buyer(market, 3, 20).await;
    let advisor = Account::random().unwrap();
    let (net, sale) = (market.net, &market.sale);
    // 2.50000007 GAS at 80 are 200.0000056 SOUL, and a fifth of it on top.
    let bought = net.actor(&presale).transfer(&GAS, sale, 250_000_007).await;
    bought.unwrap_or_else(|e| panic!("{e}"));
    let bought = net.actor(&team).transfer(&NEO, sale, 7).await;
    bought.unwrap_or_else(|e| panic!("{e}"));
    let allotted = 700 * ONE + 11;
    let list = |param: ContractParam| ContractParam::Array(vec![param]);
    let params = [
        list(advisor.script_hash.into()),
        list(number(allotted)),
        number(3),
    ];
    let allot = market.admin.invoke(sale, "allot", &params).await;
    allot.unwrap_or_else(|e| panic!("{e}"));
    let holder = |account, days, free, locked| Holder {
        account,
        days,
        free,
        locked,
        paid: 0,
    };
    vec![
        holder(presale, &PRESALE_DAYS, 20_000_000_560, 4_000_000_112),
        holder(team, &TEAM_DAYS, 0, 7 * 273 * ONE),
        holder(advisor, &ADVISOR_DAYS, 0, allotted),
    ]
}

async fn check(market: &Market<'_>, holder: &Holder, end: u64, day: u64) {
    let account = holder.account.script_hash;
    let found = market.numbers("lockedOf", &[account.into()]).await;
    assert_eq!(found, holder.expected(end, day), "day {day}");
    let has = market.balance(&market.soul, &account).await;
    assert_eq!(has, holder.free + holder.paid, "day {day}");
}

/// Has what is due paid out, or sees that nothing is. Anybody may ask.
async fn unlock(market: &Market<'_>, holder: &mut Holder, day: u64) -> bool {
    let account = [holder.account.script_hash.into()];
    let due = holder.out(day) - holder.paid;
    let asked = market
        .admin
        .invoke(&market.sale, "unlockTokens", &account)
        .await;
    if due == 0 {
        let refused = asked.unwrap_err().to_string();
        assert!(refused.contains("nothing is free yet"), "{refused}");
        return false;
    }
    let receipt = asked.unwrap_or_else(|e| panic!("day {day}: {e}"));
    assert_eq!(receipt.result().as_u64().unwrap(), due, "day {day}");
    let event = receipt.event(&market.sale, "Unlocked").unwrap();
    assert_eq!(event.args()[1].as_u64().unwrap(), due);
    holder.paid += due;
    true
}

#[tokio::test]
async fn what_is_locked_comes_free_month_by_month_as_the_table_says() {
    let net = TestNet::start().await;
    let market = Market::open(&net).await;
    let mut holders = holders(&market).await;
    let info = market.numbers("saleInfo", &[]).await;
    // The sale ends because its time has come; nobody calls anything.
    let end = info[2];
    let kept = market.balance(&market.soul, &market.sale).await;
    assert_eq!(kept, holders.iter().map(|h| h.locked).sum::<u64>());
    let mut payments = 0;
    for month in 0..=MONTHS {
        let day = 30 * month;
        if month > 0 {
            // A minute too early nothing more is free than on the day before.
            net.travel_to(end + day * DAY - MINUTE_MS).await;
            for holder in &mut holders {
                check(&market, holder, end, day - 1).await;
                if month % 6 == 0 {
                    assert!(!unlock(&market, holder, day - 1).await);
                }
            }
        }
        net.travel_to(end + day * DAY).await;
        for holder in &mut holders {
            check(&market, holder, end, day).await;
            if holder.out(day) > holder.paid || month % 7 == 0 {
                payments += u64::from(unlock(&market, holder, day).await);
                check(&market, holder, end, day).await;
            }
        }
    }
    assert_eq!(payments, 3 + 4 + 12);
    for holder in &holders {
        assert_eq!(holder.paid, holder.locked);
    }
    assert_eq!(market.balance(&market.soul, &market.sale).await, 0);
    assert_eq!(
        market.numbers("saleInfo", &[]).await[0],
        3,
        "it has ended by itself"
    );
}
