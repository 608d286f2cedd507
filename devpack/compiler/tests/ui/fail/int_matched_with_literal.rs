#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method]
    pub fn run(n: Int) -> Int {
        match n {
            1 => n,
            _ => int(2),
        }
    }
}
