//! A small contract in the place of the one that has the SOUL: balances, a pool, a register of content.

#[neo_framework::contract(name = "Phantasma", permissions = "*")]
pub(crate) mod methods {
    use neo_framework::prelude::*;

    const TRUSTED: Bytes = bytes(b"\x01");
    const POOL: Bytes = bytes(b"\x02");

    fn balance(of: &Hash160) -> Bytes {
        bytes(b"\x10").concat(&of.as_bytes())
    }

    fn assert_trusted() {
        let trusted = storage::get(&TRUSTED).unwrap();
        assert!(
            trusted == runtime::calling_script_hash().as_bytes(),
            "only for the contract of proofs"
        );
    }

    #[method(name = "_deploy")]
    pub fn deploy(data: Any, _update: bool) {
        storage::put(&TRUSTED, &data.as_hash160().as_bytes());
    }

    #[method]
    pub fn give(to: Hash160, amount: Int) {
        storage::put_int(&balance(&to), storage::get_int(&balance(&to)) + amount);
    }

    #[method]
    pub fn fill(amount: Int) {
        storage::put_int(&POOL, storage::get_int(&POOL) + amount);
    }

    #[method(safe)]
    pub fn balance_of(account: Hash160) -> Int {
        storage::get_int(&balance(&account))
    }

    #[method(safe)]
    pub fn pool_balance() -> Int {
        storage::get_int(&POOL)
    }

    #[method]
    pub fn collect(payer: Hash160, target: Option<Hash160>, amount: Int) {
        assert_trusted();
        assert!(target.is_none(), "no target is used");
        let left = storage::get_int(&balance(&payer)) - amount;
        assert!(left >= 0, "not enough SOUL to pay the fee");
        storage::put_int(&balance(&payer), left);
        fill(amount);
    }

    #[method]
    pub fn reward(to: Hash160, amount: Int) {
        assert_trusted();
        let left = storage::get_int(&POOL) - amount;
        assert!(left >= 0, "the pool has too little");
        storage::put_int(&POOL, left);
        give(to, amount);
    }

    #[method]
    pub fn register(root: Bytes, size: Int, expiry: Int) {
        let record = size + (expiry << 48) + (int(1) << 96);
        storage::put_int(&bytes(b"\x16").concat(&root), record);
    }

    #[method(safe)]
    pub fn content_info(root: Bytes) -> Option<Array<Any>> {
        let record = storage::get_int(&bytes(b"\x16").concat(&root));
        if record == 0 {
            return None;
        }
        Some(array![
            Any::from(root),
            Any::from(record & 0xFFFF_FFFF_FFFF),
            Any::from(Hash160::zero()),
            Any::from(int(0)),
            Any::from(int(0)),
            Any::from((record >> 48) & 0xFFFF_FFFF_FFFF),
            Any::from(int(0))
        ])
    }
}
