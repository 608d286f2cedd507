#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method]
    pub fn run(n: Int) -> Int {
        let mut m: Map<Int, Int> = Map::new();
        let other = m.clone();
        other.len()
    }
}
