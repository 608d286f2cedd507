//! Calls of the sale.

use neo_client::{Account, ContractParam, GAS, NEO};

use super::world::{Call, DAY_MS, ONE, SALE_MS, START_MS, World, transfer};
use crate::quiet::account_named;

/// A batch of the administrator's.
const BATCH: usize = 10;
/// Another one has bought before, so that NEO lies on the sale's account and earns GAS.
const EARLY: &str = "early";

/// While the sale is open.
pub(super) async fn measure(world: &mut World) {
    let buyers = ["public", "presale", "team"].map(account_named);
    for (buyer, tier) in buyers.iter().zip(1..) {
        world.fund(buyer, 100, 100 * ONE).await;
        let call = world.whitelist(vec![buyer.script_hash.into()], tier);
        world.by_owner(vec![call]).await;
    }
    buy(world, &buyers).await;
    administrate(world).await;
    let early = account_named(EARLY);
    world.fund(&early, 100, 100 * ONE).await;
    let call = world.whitelist(vec![early.script_hash.into()], 2);
    world.by_owner(vec![call]).await;
    let sale = world.three.sale;
    let calls = vec![
        transfer(NEO, &early, &sale, 5),
        transfer(GAS, &early, &sale, ONE),
    ];
    world.by(&early, calls).await;
    let case = "a transfer of NEO that buys, when the sale has NEO already";
    let call = transfer(NEO, &buyers[0], &sale, 5);
    world.measure(case, &buyers[0], call).await;
    let case = "a transfer of NEO that buys, not the first of the account";
    world
        .measure(case, &early, transfer(NEO, &early, &sale, 5))
        .await;
    let bob = world.bob.clone();
    world
        .measure("`withdraw`, NEO and GAS", &bob, (sale, "withdraw", vec![]))
        .await;
    views(world, &early).await;
}

async fn buy(world: &mut World, buyers: &[Account; 3]) {
    let sale = world.three.sale;
    let tiers = [
        ("nothing is locked", &buyers[0]),
        ("the bonus is locked", &buyers[1]),
        ("all is locked", &buyers[2]),
    ];
    for (what, buyer) in tiers {
        let case = format!("a transfer of NEO that buys, {what}");
        let call = transfer(NEO, buyer, &sale, 5);
        world.measure(&case, buyer, call).await;
        let case = format!("a transfer of GAS that buys, {what}");
        let call = transfer(GAS, buyer, &sale, 5 * ONE);
        world.measure(&case, buyer, call).await;
    }
    let case = "a transfer of NEO above the cap, with a refund";
    let call = transfer(NEO, &buyers[0], &sale, 100);
    world.measure(case, &buyers[0], call).await;
}

async fn administrate(world: &mut World) {
    let owner = world.owner.clone();
    let sale = world.three.sale;
    let list = |count: usize| -> Vec<ContractParam> {
        let accounts = (0..count).map(|n| account_named(&format!("listed{n}")));
        accounts.map(|account| account.script_hash.into()).collect()
    };
    for count in [1, BATCH] {
        let call = world.whitelist(list(count), 1);
        let case = format!("`whitelist`, {count} new");
        world.measure(&case, &owner, call).await;
        let amounts: Vec<ContractParam> = vec![ONE.into(); count];
        let params = vec![list(count).into(), amounts.into(), 2.into()];
        let case = format!("`allot`, {count} new");
        world.measure(&case, &owner, (sale, "allot", params)).await;
    }
    let simple = |method| -> Call { (sale, method, vec![]) };
    world.measure("`pause`", &owner, simple("pause")).await;
    world.by_owner(vec![simple("pause")]).await;
    world.measure("`resume`", &owner, simple("resume")).await;
    world.by_owner(vec![simple("resume")]).await;
    let call = (sale, "postpone", vec![DAY_MS.into()]);
    world.measure("`postpone`", &owner, call).await;
    world.measure("`end`", &owner, simple("end")).await;
}

async fn views(world: &mut World, early: &Account) {
    let bob = world.bob.clone();
    let who = ContractParam::from(early.script_hash);
    let quote = vec![who.clone(), NEO.into(), 7.into()];
    let all: [(&'static str, &'static str, Vec<ContractParam>); 10] = [
        ("`phase`", "phase", vec![]),
        ("`saleInfo`", "saleInfo", vec![]),
        ("`settings` of the sale", "settings", vec![]),
        ("`tierInfo`", "tierInfo", vec![2.into()]),
        ("`lockupInfo`", "lockupInfo", vec![2.into()]),
        ("`tierOf`", "tierOf", vec![who.clone()]),
        ("`accountInfo`", "accountInfo", vec![who.clone()]),
        ("`remainingOf`", "remainingOf", vec![who.clone()]),
        ("`quote`", "quote", quote),
        ("`lockedOf`", "lockedOf", vec![who]),
    ];
    for (case, method, params) in all {
        let call = (world.three.sale, method, params);
        world.measure(case, &bob, call).await;
    }
}

/// When the first part of the bonus is free.
pub(super) async fn measure_after_the_end(world: &mut World) {
    let later = START_MS + SALE_MS + 31 * DAY_MS;
    world.net.block(later as u64, 0, vec![]).await;
    let early = account_named(EARLY);
    let params = vec![early.script_hash.into()];
    let call = (world.three.sale, "unlockTokens", params);
    world.measure("`unlockTokens`", &early, call).await;
}
