//! What scripts decide about: reading with effect, changing contents, gates and include lists, SOUL in boxes.

use neo_client::{Account, ContractParam, Hash160, Receipt, StackItem};

use super::{ContractError, Phantasma, methods};

impl Phantasma {
    // Reads.

    /// SOUL of the storage pool.
    pub async fn pool_balance(&self) -> Result<u64, ContractError> {
        self.number("poolBalance", &[]).await
    }

    /// SOUL that a box holds.
    pub async fn box_balance(&self, box_id: u64) -> Result<u64, ContractError> {
        self.number("boxBalance", &[box_id.into()]).await
    }

    /// Whether an account is on a box's include list.
    pub async fn is_member(&self, box_id: u64, account: &Hash160) -> Result<bool, ContractError> {
        let method = "isMember";
        let item = self
            .read(method, &[box_id.into(), (*account).into()], &[])
            .await?;
        item.as_bool().map_err(|source| self.odd(method, source))
    }

    /// What reading the latest content would charge `caller`.
    pub async fn inspect_content(
        &self,
        caller: &Hash160,
        box_id: u64,
    ) -> Result<u64, ContractError> {
        self.number("inspectContent", &[(*caller).into(), box_id.into()])
            .await
    }

    // Writes.

    /// Reads the latest content in a transaction, with all its effects: it is paid for, and taken off if gate and
    /// content let it. Gives what it leaves.
    pub async fn read_content(
        &self,
        caller: &Account,
        box_id: u64,
        max_payment: u64,
    ) -> Result<(StackItem, Receipt), ContractError> {
        let params = [caller.script_hash.into(), box_id.into(), max_payment.into()];
        self.write_item(caller, "readContent", &params).await
    }

    /// Runs a content with inputs, which it finds on its stack, the last on top; at most 16.
    pub async fn call_content(
        &self,
        caller: &Account,
        box_id: u64,
        index: u64,
        inputs: &[ContractParam],
        max_payment: u64,
    ) -> Result<(StackItem, Receipt), ContractError> {
        let params = [
            caller.script_hash.into(),
            box_id.into(),
            index.into(),
            ContractParam::Array(inputs.to_vec()),
            max_payment.into(),
        ];
        self.write_item(caller, "callContent", &params).await
    }

    /// Deletes the latest content; its author and the box's owner can, if the gate agrees.
    pub async fn delete_content(
        &self,
        caller: &Account,
        box_id: u64,
    ) -> Result<Receipt, ContractError> {
        let params = [caller.script_hash.into(), box_id.into()];
        self.write(caller, "deleteContent", &params).await
    }

    /// Puts a content script in place of the latest one, as [`Self::delete_content`].
    pub async fn replace_content(
        &self,
        caller: &Account,
        box_id: u64,
        content: &[u8],
        max_payment: u64,
    ) -> Result<Receipt, ContractError> {
        let params = [
            caller.script_hash.into(),
            box_id.into(),
            content.into(),
            max_payment.into(),
        ];
        self.write(caller, "replaceContent", &params).await
    }

    /// Gives a box another gate.
    pub async fn replace_gate(
        &self,
        owner: &Account,
        box_id: u64,
        gate: &[u8],
    ) -> Result<Receipt, ContractError> {
        self.write(owner, "replaceGate", &[box_id.into(), gate.into()])
            .await
    }

    /// Puts an account on a box's include list.
    pub async fn include(
        &self,
        owner: &Account,
        box_id: u64,
        account: &Hash160,
    ) -> Result<Receipt, ContractError> {
        self.write(owner, "include", &[box_id.into(), (*account).into()])
            .await
    }

    /// Takes an account off a box's include list.
    pub async fn exclude(
        &self,
        owner: &Account,
        box_id: u64,
        account: &Hash160,
    ) -> Result<Receipt, ContractError> {
        self.write(owner, "exclude", &[box_id.into(), (*account).into()])
            .await
    }

    /// Gives the owner of a box SOUL that it holds.
    pub async fn withdraw(
        &self,
        owner: &Account,
        box_id: u64,
        amount: u64,
    ) -> Result<Receipt, ContractError> {
        self.write(owner, "withdraw", &[box_id.into(), amount.into()])
            .await
    }

    pub(super) async fn write(
        &self,
        account: &Account,
        method: &'static str,
        params: &[ContractParam],
    ) -> Result<Receipt, ContractError> {
        debug_assert!(methods::fits(method, params), "{method} {params:?}");
        Ok(self.call(account, method, params)?.run(&self.rpc).await?)
    }

    async fn write_item(
        &self,
        account: &Account,
        method: &'static str,
        params: &[ContractParam],
    ) -> Result<(StackItem, Receipt), ContractError> {
        let receipt = self.write(account, method, params).await?;
        Ok((receipt.result().clone(), receipt))
    }
}
