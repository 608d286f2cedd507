#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method]
    pub fn run(n: Int) -> Int {
        for i in 0..3 {
            n + i;
        }
        n
    }
}
