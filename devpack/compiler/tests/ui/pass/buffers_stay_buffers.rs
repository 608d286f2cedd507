#[contract(name = "Good")]
pub mod methods {
    use neo_framework::prelude::*;

    fn key(account: &Hash160) -> Bytes {
        bytes(b"\x01").concat(&account.as_bytes())
    }

    #[method(safe)]
    pub fn balance_of(account: Hash160) -> Int {
        storage::get_int(&key(&account))
    }

    #[method(safe)]
    pub fn shown(account: Hash160) -> Bytes {
        key(&account)
    }
}
