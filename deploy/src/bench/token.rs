//! A plain NEP-17 token by all sides.

use anyhow::Result;
use neo_client::{ContractParam, Hash160};

use super::contract::{Bench, Expect, FLOOR_STORAGE};

/// Has tokens before the measured transfer.
const EXISTING: Hash160 = Hash160([0x61; 20]);
/// Has none.
const NEW: Hash160 = Hash160([0x62; 20]);
/// 12.5 tokens: as long as everyday amounts are.
const AMOUNT: i64 = 12_5000_0000;
/// More than there is.
const TOO_MUCH: i64 = 2_000_000_000_000_000;

pub(super) async fn measure(bench: &mut Bench) -> Result<()> {
    let owner = bench.chain.account.script_hash;
    let sides = bench.sides("token", &owner.into()).await?;
    let transfer = |from: Hash160, to: Hash160, amount: i64| -> [ContractParam; 4] {
        [from.into(), to.into(), amount.into(), ContractParam::Any]
    };
    let to_existing = transfer(owner, EXISTING, AMOUNT);
    bench.send(&sides, "transfer", &to_existing).await?;
    for refused in [
        transfer(EXISTING, owner, 1),
        transfer(owner, EXISTING, TOO_MUCH),
    ] {
        bench
            .same(&sides, "transfer", &refused, &Expect::False)
            .await?;
    }
    let none = Expect::Number(0);
    bench
        .same(&sides, "balanceOf", &[NEW.into()], &none)
        .await?;

    let call = ("transfer", &transfer(owner, NEW, AMOUNT)[..]);
    bench
        .case(
            "transfer to a new account",
            &sides,
            call,
            &Expect::True,
            FLOOR_STORAGE,
        )
        .await?;
    let call = ("transfer", &to_existing[..]);
    bench
        .case(
            "transfer to an existing account",
            &sides,
            call,
            &Expect::True,
            FLOOR_STORAGE,
        )
        .await?;
    let account = [EXISTING.into()];
    let has = Expect::Number(AMOUNT.unsigned_abs());
    bench
        .case(
            "balanceOf",
            &sides,
            ("balanceOf", &account),
            &has,
            FLOOR_STORAGE,
        )
        .await?;
    bench.sizes("token", &sides);
    Ok(())
}
