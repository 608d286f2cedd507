#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    #[derive(Clone, Copy)]
    struct P {
        x: Int,
    }

    #[method]
    pub fn run(n: Int) -> Int {
        let p = P { x: n };
        p.x
    }
}
