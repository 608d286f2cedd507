#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    fn take() -> Int {
        let x = eval::pop_int();
        x
    }

    #[method]
    pub fn run(n: Int) -> Int {
        n + take()
    }
}
