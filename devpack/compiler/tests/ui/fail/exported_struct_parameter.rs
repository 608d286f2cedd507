#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    #[derive(Clone)]
    pub struct P {
        x: Int,
    }

    #[method]
    pub fn run(p: P, list: Array<Int>, by: &Int) -> Int {
        p.x
    }
}
