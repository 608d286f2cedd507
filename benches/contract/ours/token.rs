//! A plain NEP-17 token: the smallest that keeps the standard.

#[neo_framework::contract(name = "BenchToken", standards = ["NEP-17"], permissions = "*")]
pub mod methods {
    use neo_framework::prelude::*;

    const SUPPLY: Bytes = bytes(b"\x01");
    const ALL: i64 = 1_000_000_000_000_000;

    #[event(name = "Transfer")]
    fn emit_transfer(from: Option<Hash160>, to: Option<Hash160>, amount: Int) {}

    #[method(safe)]
    pub fn symbol() -> Text {
        text("BENCH")
    }

    #[method(safe)]
    pub fn decimals() -> Int {
        int(8)
    }

    #[method(safe)]
    pub fn total_supply() -> Int {
        storage::get_int(&SUPPLY)
    }

    #[method(safe)]
    pub fn balance_of(account: Hash160) -> Int {
        storage::get_int(&balance_key(&account))
    }

    #[method]
    pub fn transfer(from: Hash160, to: Hash160, amount: Int, data: Any) -> bool {
        assert!(amount >= 0, "amount");
        if !runtime::check_witness(&from) {
            return false;
        }
        let from_key = balance_key(&from);
        let available = storage::get_int(&from_key);
        if available < amount {
            return false;
        }
        if amount != 0 && from != to {
            if available == amount {
                storage::delete(&from_key);
            } else {
                storage::put_int(&from_key, available - amount);
            }
            let to_key = balance_key(&to);
            storage::put_int(&to_key, storage::get_int(&to_key) + amount);
        }
        emit_transfer(Some(from.clone()), Some(to.clone()), amount);
        if management::is_contract(&to) {
            let arguments = array![Any::from(from), Any::from(amount), data];
            contracts::call(&to, &text("onNEP17Payment"), contracts::ALL, arguments);
        }
        true
    }

    #[method(name = "_deploy")]
    pub fn deploy(data: Any, update: bool) {
        if !update {
            let owner = data.as_hash160();
            let all = int(ALL);
            storage::put_int(&SUPPLY, all);
            storage::put_int(&balance_key(&owner), all);
            emit_transfer(None, Some(owner), all);
        }
    }

    /// 10, then the account, as one number: 8 + 8 units where joining the bytes costs 2048.
    fn balance_key(account: &Hash160) -> Bytes {
        ((account.as_bytes().to_int() << 8) + 0x10).to_bytes()
    }
}
