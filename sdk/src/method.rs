//! One exported method of a contract as its manifest has it, and calls through it.

use neo_client::{
    Account, Actor, ContractParam, Hash160, ItemError, Receipt, RpcClient, StackItem,
    TransactionBuilder, VmState,
};

use crate::contract::ContractError;

/// A method by the names and types of the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    pub name: &'static str,
    /// Such as `Hash160`, in order.
    pub parameters: &'static [&'static str],
    /// `Void` when there is none.
    pub result: &'static str,
    /// Changes nothing: a test run is enough.
    pub safe: bool,
}

impl Method {
    /// A method that only answers.
    pub(crate) const fn view(
        name: &'static str,
        parameters: &'static [&'static str],
        result: &'static str,
    ) -> Self {
        Self {
            name,
            parameters,
            result,
            safe: true,
        }
    }

    /// A method that changes something.
    pub(crate) const fn action(
        name: &'static str,
        parameters: &'static [&'static str],
        result: &'static str,
    ) -> Self {
        Self {
            name,
            parameters,
            result,
            safe: false,
        }
    }

    /// Whether arguments are of the kinds that the manifest names.
    pub(crate) fn takes(&self, params: &[ContractParam]) -> bool {
        params.len() == self.parameters.len()
            && params
                .iter()
                .zip(self.parameters)
                .all(|(param, kind)| kind_of(param) == *kind)
    }
}

/// A contract on the chain whose methods are called by rows.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) rpc: RpcClient,
    pub(crate) hash: Hash160,
}

impl Remote {
    /// The result of a test run.
    pub(crate) async fn read(
        &self,
        method: &Method,
        params: &[ContractParam],
    ) -> Result<StackItem, ContractError> {
        Ok(self.test(method, params).await?.0)
    }

    /// The result of a test run, as a type.
    pub(crate) async fn get<T>(
        &self,
        method: &Method,
        params: &[ContractParam],
        parse: impl FnOnce(&StackItem) -> Result<T, ItemError>,
    ) -> Result<T, ContractError> {
        parse(&self.read(method, params).await?).map_err(|source| self.odd(method, source))
    }

    /// The same of a method that may answer null.
    pub(crate) async fn find<T>(
        &self,
        method: &Method,
        params: &[ContractParam],
        parse: impl FnOnce(&StackItem) -> Result<T, ItemError>,
    ) -> Result<Option<T>, ContractError> {
        let parse = |item: &StackItem| match item.is_null() {
            true => Ok(None),
            false => parse(item).map(Some),
        };
        self.get(method, params, parse).await
    }

    /// All that a method's iterator gives.
    pub(crate) async fn list<T>(
        &self,
        method: &Method,
        params: &[ContractParam],
        parse: impl Fn(&StackItem) -> Result<T, ItemError>,
    ) -> Result<Vec<T>, ContractError> {
        let (item, session) = self.test(method, params).await?;
        let iterator = item
            .as_iterator()
            .map_err(|source| self.odd(method, source))?;
        let values = self.rpc.read_iterator(session.as_deref(), iterator).await?;
        let parsed: Result<_, _> = values.iter().map(parse).collect();
        parsed.map_err(|source| self.odd(method, source))
    }

    async fn test(
        &self,
        method: &Method,
        params: &[ContractParam],
    ) -> Result<(StackItem, Option<String>), ContractError> {
        debug_assert!(method.takes(params), "{method:?} {params:?}");
        let result = self
            .rpc
            .invoke_function(&self.hash, method.name, params, &[])
            .await?;
        if result.state == VmState::Fault {
            let exception = result
                .exception
                .unwrap_or_else(|| "no reason given".to_owned());
            let method = method.name;
            return Err(ContractError::Fault { method, exception });
        }
        let item = result.stack.into_iter().next().unwrap_or(StackItem::Null);
        Ok((item, result.session))
    }

    /// A transaction of `account` that calls a method.
    pub(crate) fn call(
        &self,
        account: &Account,
        method: &Method,
        params: &[ContractParam],
    ) -> Result<TransactionBuilder, ContractError> {
        debug_assert!(method.takes(params), "{method:?} {params:?}");
        Ok(Actor::new(self.rpc.clone(), account.clone()).build(&self.hash, method.name, params)?)
    }

    /// Calls a method and waits for the block.
    pub(crate) async fn write(
        &self,
        account: &Account,
        method: &Method,
        params: &[ContractParam],
    ) -> Result<Receipt, ContractError> {
        Ok(self.call(account, method, params)?.run(&self.rpc).await?)
    }

    pub(crate) fn odd(&self, method: &Method, source: ItemError) -> ContractError {
        ContractError::Answer {
            method: method.name,
            contract: self.hash,
            source,
        }
    }
}

fn kind_of(param: &ContractParam) -> &'static str {
    match param {
        ContractParam::Any => "Any",
        ContractParam::Boolean(_) => "Boolean",
        ContractParam::Integer(_) => "Integer",
        ContractParam::ByteArray(_) => "ByteArray",
        ContractParam::String(_) => "String",
        ContractParam::Hash160(_) => "Hash160",
        ContractParam::Hash256(_) => "Hash256",
        ContractParam::PublicKey(_) => "PublicKey",
        ContractParam::Signature(_) => "Signature",
        ContractParam::Array(_) => "Array",
        ContractParam::Map(_) => "Map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_must_be_of_the_methods_kinds() {
        let method = Method::action("m", &["Hash160", "Integer"], "Void");
        let account = ContractParam::from(Hash160::ZERO);
        assert!(method.takes(&[account.clone(), 1.into()]));
        assert!(!method.takes(std::slice::from_ref(&account)));
        assert!(!method.takes(&[1.into(), account]));
    }
}
