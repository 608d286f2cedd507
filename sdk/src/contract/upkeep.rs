//! Stored content after it was created, what it costs, and SOUL that leaves the chain.

use neo_client::{Account, ContractParam, Receipt};

use super::{ContentMode, ContractError, Phantasma, Priority};

impl Phantasma {
    /// What creating a content costs by these terms, by the contract itself; `periods` are of 30 days.
    pub async fn content_quote(
        &self,
        size: u64,
        mode: ContentMode,
        priority: Priority,
        periods: u32,
    ) -> Result<u64, ContractError> {
        let params = [
            size.into(),
            mode.number().into(),
            priority.number().into(),
            periods.into(),
        ];
        self.number("contentQuote", &params).await
    }

    /// Adds periods of 30 days to a content that has not expired; anybody may pay for it.
    pub async fn renew_content(
        &self,
        payer: &Account,
        root: &[u8; 32],
        periods: u32,
        max_payment: u64,
    ) -> Result<Receipt, ContractError> {
        let params = [
            payer.script_hash.into(),
            ContractParam::bytes(*root),
            periods.into(),
            max_payment.into(),
        ];
        self.write(payer, "renewContent", &params).await
    }

    /// Puts another root in the place of a writable content's; more blocks cost for the periods that are left.
    pub async fn update_content(
        &self,
        owner: &Account,
        root: &[u8; 32],
        new_root: &[u8; 32],
        size: u64,
        max_payment: u64,
    ) -> Result<Receipt, ContractError> {
        let params = [
            owner.script_hash.into(),
            ContractParam::bytes(*root),
            ContractParam::bytes(*new_root),
            size.into(),
            max_payment.into(),
        ];
        self.write(owner, "updateContent", &params).await
    }

    /// Burns SOUL, which is to be had again where `target` says. That is for good.
    pub async fn swap_out(
        &self,
        from: &Account,
        amount: u64,
        target: &[u8],
    ) -> Result<Receipt, ContractError> {
        let params = [from.script_hash.into(), amount.into(), target.into()];
        self.write(from, "swapOut", &params).await
    }
}
