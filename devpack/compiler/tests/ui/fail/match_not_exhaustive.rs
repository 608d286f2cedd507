#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method]
    pub fn run(n: Int) -> Int {
        match n.small() {
            0..=5 => int(1),
            7.. => int(2),
        }
    }
}
