#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method]
    pub fn run(n: Int) -> Int {
        eval::push(n);
        n + eval::pop_int()
    }
}
