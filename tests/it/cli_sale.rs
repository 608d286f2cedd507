//! `phantasma sale` against a real node: the administrator's commands and a buyer's.

use neo_client::{Hash160, NEO};
use num_bigint::BigInt;
use phantasma_tests::TestNet;
use serde_json::Value;

use crate::cli::Cli;

const DAY_MS: u64 = 86_400_000;

/// A net with the three contracts, the command of who deployed them and runs the sale, and that of a buyer with 100 NEO
/// and 50 GAS; the buyer's address.
async fn market() -> (TestNet, Cli, Cli, String) {
    let net = TestNet::start().await;
    let admin = Cli::new(net.rpc_url());
    let address = admin.new_wallet();
    net.fund_gas(&address, 100_0000_0000).await.unwrap();
    let deployed = admin.json(&["contract", "deploy"]);
    let buyer = Cli::new(net.rpc_url());
    let address = buyer.new_wallet();
    net.fund_neo(&address, 100).await.unwrap();
    net.fund_gas(&address, 50_0000_0000).await.unwrap();
    // The buyer knows one hash; the sale is found through it.
    let known = format!("contract = {}\n", deployed["contract"]);
    let profile = buyer.path("phantasma/phantasma.toml");
    let text = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, known + &text).unwrap();
    (net, admin, buyer, address)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{value}"))
}

#[tokio::test]
async fn a_sale_is_run_bought_from_and_unlocked_by_commands() {
    let (net, admin, buyer, address) = market().await;
    let status = buyer.json(&["sale", "status"]);
    assert_eq!(
        (text(&status, "phase"), text(&status, "sold")),
        ("open", "0")
    );
    assert_eq!(status["tiers"].as_array().unwrap().len(), 3);
    assert_eq!(text(&status["tiers"][1], "rate_neo"), "273");
    assert_eq!(status["lockups"][2]["cliff_days"], 180);

    buyer
        .refusal(&["sale", "buy", "neo", "1"])
        .says(&["not on the whitelist"]);
    let listed = admin.json(&["sale", "whitelist", "2", &address]);
    assert_eq!(listed["addresses"][0], address.as_str());
    let quote = buyer.json(&["sale", "quote", "neo", "10"]);
    let bought = buyer.json(&["sale", "buy", "neo", "10"]);
    for answer in [&quote, &bought] {
        assert_eq!(text(answer, "accepted"), "10");
        assert_eq!(
            (text(answer, "base"), text(answer, "bonus")),
            ("2730", "546")
        );
        assert_eq!(
            (text(answer, "locked"), text(answer, "refund")),
            ("546", "0")
        );
    }
    let account = buyer.json(&["sale", "account"]);
    assert_eq!(account["tier"], 2);
    assert_eq!(text(&account, "remaining"), "97270");
    assert_eq!(
        text(&buyer.json(&["wallet", "balance"])["balance"], "SOUL"),
        "2730"
    );

    assert_eq!(text(&admin.json(&["sale", "pause"]), "phase"), "paused");
    buyer
        .refusal(&["sale", "buy", "gas", "1"])
        .says(&["sale: paused"]);
    assert_eq!(text(&admin.json(&["sale", "resume"]), "phase"), "open");
    let later = admin.json(&["sale", "postpone", "2 d"]);
    let before = status["end_ms"].as_u64().unwrap();
    assert_eq!(later["end_ms"], before + 2 * DAY_MS);
    let locked = buyer.json(&["sale", "locked"]);
    assert_eq!(
        (text(&locked, "amount"), text(&locked, "due")),
        ("546", "0")
    );
    assert_eq!(locked["next_ms"], before + 32 * DAY_MS);

    let advisor = neo_client::Account::random().unwrap().address;
    let share = format!("{advisor}=1000.5");
    assert_eq!(
        text(&admin.json(&["sale", "allot", "2", &share]), "amount"),
        "1000.5"
    );
    let locked = buyer.json(&["sale", "locked", &advisor]);
    assert_eq!(text(&locked, "amount"), "1000.5");

    buyer
        .refusal(&["sale", "unlock"])
        .says(&["unlockTokens: nothing is free yet"]);
    let ended = admin.json(&["sale", "end"]);
    assert_eq!(text(&ended, "phase"), "ended");
    buyer
        .refusal(&["sale", "buy", "gas", "1"])
        .says(&["sale: has ended"]);
    buyer.json(&["sale", "withdraw"]);
    let treasury = text(&status, "treasury").to_owned();
    let treasury = Hash160::from_address(&treasury).unwrap();
    let raised = net.rpc().balance_of(&NEO, &treasury).await.unwrap();
    assert_eq!(raised, BigInt::from(10));

    net.travel_to(ended["end_ms"].as_u64().unwrap() + 30 * DAY_MS)
        .await;
    assert_eq!(text(&buyer.json(&["sale", "unlock"]), "amount"), "182");
    assert_eq!(
        text(&buyer.json(&["wallet", "balance"])["balance"], "SOUL"),
        "2912"
    );
    // Anybody may ask for another; the advisor's cliff is not over.
    buyer
        .refusal(&["sale", "unlock", &advisor])
        .says(&["nothing is free yet"]);
}

#[tokio::test]
async fn wrong_amounts_and_strangers_change_nothing() {
    let (net, admin, buyer, address) = market().await;
    for (args, expected) in [
        (&["sale", "buy", "neo", "0.5"][..], "digits after the point"),
        (
            &["sale", "buy", "neo", "101"],
            "holds 100 NEO, less than 101",
        ),
        (&["sale", "quote", "gas", "1e3"], "is not an amount"),
        (
            &["sale", "whitelist", "1", &address],
            "is not the sale's administrator",
        ),
        (&["sale", "pause"], "only for the administrator"),
        (&["sale", "end"], "only for the administrator"),
        (&["sale", "locked", "NotAnAddress"], "NotAnAddress"),
    ] {
        buyer.refusal(args).says(&[expected]);
    }
    for (args, expected) in [
        (&["sale", "whitelist", "4", &address][..], "no such tier"),
        (&["sale", "whitelist", "1"], "no address is given"),
        (&["sale", "whitelist", "1", "Nx"], "Nx"),
        (&["sale", "allot", "3", &address], "is not <address>=<SOUL>"),
        (
            &["sale", "allot", "3", &format!("{address}=2000001")],
            "above the lock-up's reserve",
        ),
        (&["sale", "postpone", "5"], "is not a span of time"),
        (&["sale", "postpone", "61 d"], "not past latestEnd"),
        (&["sale", "resume"], "paused already, or not paused"),
    ] {
        admin.refusal(args).says(&[expected]);
    }
    let status = buyer.json(&["sale", "status"]);
    assert_eq!(
        (text(&status, "phase"), text(&status, "sold")),
        ("open", "0")
    );
    let nobody = Cli::new(net.rpc_url());
    nobody.new_wallet();
    nobody
        .refusal(&["sale", "status"])
        .says(&["phantasma contract deploy"]);
}

#[tokio::test]
async fn a_file_of_addresses_is_one_batch() {
    let (_net, admin, buyer, address) = market().await;
    let others = [1, 2].map(|_| neo_client::Account::random().unwrap().address);
    let file = admin.path("list.txt");
    std::fs::write(&file, format!("{}\n\n  {}\n", others[0], others[1])).unwrap();
    let listed = admin.json(&["sale", "whitelist", "1", &address, "--file", "list.txt"]);
    assert_eq!(listed["addresses"].as_array().unwrap().len(), 3);
    for who in [&address, &others[0], &others[1]] {
        assert_eq!(buyer.json(&["sale", "account", who])["tier"], 1);
    }
    admin.json(&["sale", "whitelist", "0", &address]);
    assert_eq!(buyer.json(&["sale", "account"])["tier"], 0);
}
