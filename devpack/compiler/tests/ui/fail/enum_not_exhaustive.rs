#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    enum E {
        A,
        B,
    }

    #[method]
    pub fn run(n: Int) -> Int {
        match E::A {
            E::A => n,
        }
    }
}
