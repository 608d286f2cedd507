#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    const LOWEST: i64 = -9_223_372_036_854_775_808;

    #[method]
    pub fn run(n: Int) -> Int {
        n + LOWEST + int(0xFFFF_FFFF_FFFF_FFFF)
    }
}
