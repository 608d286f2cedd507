#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method(name = "run")]
    pub fn other(n: Int) -> Int {
        n
    }

    #[method]
    pub fn run(n: Int) -> Int {
        n
    }
}
