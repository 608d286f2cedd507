#[contract(name = "Good")]
pub mod methods {
    use neo_framework::prelude::*;

    #[event(name = "Transfer")]
    pub fn emit_transfer(from: Option<Hash160>, to: Option<Hash160>, amount: Int) {}

    #[method]
    pub fn transfer(from: Hash160, to: Hash160, amount: Int) -> bool {
        assert!(amount >= 0, "negative");
        if !runtime::check_witness(&from) {
            return false;
        }
        let key = bytes(b"\x01").concat(&from.as_bytes());
        let balance = storage::get_int(&key);
        if balance < amount {
            return false;
        }
        storage::put_int(&key, balance - amount);
        emit_transfer(Some(from), Some(to), amount);
        true
    }
}
