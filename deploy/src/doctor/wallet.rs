//! The wallet and what its account has. The key is opened to see that it can be, and dropped.

use neo_client::{GAS, Hash160, RpcClient};
use num_bigint::BigInt;
use phantasma_sdk::contract::Phantasma;

use super::chain::{answering, failed};
use super::{Finding, Setup};
use crate::{amount, password};

/// A short value written to a box costs 0.23 GAS at most (docs/gas.md).
const MIN_DATOSHI: u64 = 2300_0000;

pub(super) fn wallet(setup: &Setup) -> Finding {
    let context = &setup.context;
    let path = context.wallet_path();
    let place = path.display().to_string();
    if !path.exists() {
        return Finding::wrong(
            "there is no wallet",
            place,
            "`phantasma wallet new` or `wallet import`, or name the file with --wallet",
        );
    }
    let opened = context
        .wallet()
        .and_then(|wallet| Ok((context.address(&wallet)?, wallet)));
    let (address, wallet) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            return Finding::wrong(
                format!("{error:#}"),
                place,
                "restore the file from a copy, or name another with --wallet",
            );
        }
    };
    let place = format!("account {address} in {place}");
    let Some(given) = &setup.password else {
        return Finding::wrong(
            "wallet locked: nobody gave its password",
            place,
            format!("set {}, or give --password-file", password::ENV),
        );
    };
    match wallet.decrypt(&address, given) {
        Ok(_) => Finding::fine(format!("{place} opens")),
        Err(error) => Finding::wrong(
            format!("wallet locked: {error}"),
            place,
            format!(
                "give the password that this wallet was made with, in {} or --password-file",
                password::ENV
            ),
        ),
    }
}

pub(super) async fn gas(setup: &Setup) -> Finding {
    let (rpc, account, address) = match holder(setup).await {
        Ok(holder) => holder,
        Err(finding) => return finding,
    };
    let held = match rpc.balance_of(&GAS, &account).await {
        Ok(held) => held,
        Err(error) => return failed(&rpc, &error),
    };
    let text = amount::show(&held, amount::DECIMALS);
    match held < BigInt::from(MIN_DATOSHI) {
        false => Finding::fine(format!("{address} has {text} GAS")),
        true => Finding::wrong(
            format!(
                "no GAS: the account has {text}, a transaction takes up to {}",
                amount::show(&MIN_DATOSHI.into(), amount::DECIMALS)
            ),
            address.clone(),
            format!(
                "`phantasma net fund {address}` on a private net; elsewhere send GAS to this address"
            ),
        ),
    }
}

pub(super) async fn soul(setup: &Setup) -> Finding {
    if !setup.context.contract_is_given() {
        return Finding::skipped("no contract is known here");
    }
    let (rpc, account, address) = match holder(setup).await {
        Ok(holder) => holder,
        Err(finding) => return finding,
    };
    let contract = match setup.context.contract() {
        Ok(contract) => contract,
        Err(error) => return Finding::skipped(format!("{error:#}")),
    };
    match rpc.get_contract_state(&contract).await {
        Ok(Some(_)) => {}
        Ok(None) => return Finding::skipped("needs the contracts, see there"),
        Err(error) => return failed(&rpc, &error),
    }
    let fee = match Phantasma::new(rpc.clone(), contract).settings().await {
        Ok(settings) => settings.box_fee,
        Err(error) => return failed(&rpc, &error),
    };
    let held = match rpc.balance_of(&contract, &account).await {
        Ok(held) => held,
        Err(error) => return failed(&rpc, &error),
    };
    let text = amount::show(&held, amount::DECIMALS);
    match held < BigInt::from(fee) {
        false => Finding::fine(format!("{address} has {text} SOUL")),
        true => Finding::wrong(
            format!(
                "no SOUL: the account has {text}, a box costs {}",
                amount::soul(fee)
            ),
            address.clone(),
            format!(
                "`phantasma wallet transfer soul 10 {address}` from an account that has some, or `phantasma sale buy`"
            ),
        ),
    }
}

/// The node and the account to ask for; no password is needed.
async fn holder(setup: &Setup) -> Result<(RpcClient, Hash160, String), Finding> {
    let context = &setup.context;
    let address = match &context.global.account {
        Some(address) => Ok(address.clone()),
        None => context.wallet().and_then(|wallet| context.address(&wallet)),
    };
    let known = address.and_then(|address| Ok((Hash160::from_address(&address)?, address)));
    let Ok((account, address)) = known else {
        return Err(Finding::skipped("needs an account, see the wallet"));
    };
    Ok((answering(setup).await?, account, address))
}
