#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    fn f(a: u32) -> usize {
        a
    }

    #[method]
    pub fn run(n: Int) -> Int {
        f(n)
    }
}
