#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    const A: i64 = B;
    const B: i64 = A;

    #[method]
    pub fn run(n: Int) -> Int {
        n + A
    }
}
