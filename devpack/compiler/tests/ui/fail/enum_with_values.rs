#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    enum E {
        A,
        B(Int),
    }

    #[method]
    pub fn run(n: Int) -> Int {
        let e = E::A;
        n
    }
}
