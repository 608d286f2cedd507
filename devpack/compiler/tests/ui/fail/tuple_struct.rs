#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    struct P(Int);

    fn f(p: P) -> Int {
        int(1)
    }

    #[method]
    pub fn run(n: Int) -> Int {
        f(P { x: n })
    }
}
