#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method]
    pub fn run(n: Int) -> Int {
        let b = bytes(b"a") + bytes(b"b");
        b.len()
    }
}
