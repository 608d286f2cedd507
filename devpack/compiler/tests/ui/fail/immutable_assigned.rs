#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method]
    pub fn run(n: Int) -> Int {
        let x = n;
        x += 1;
        x
    }
}
