#[contract(name = "Good")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method(safe)]
    pub fn run(n: Int) -> Int {
        match n.small() {
            0 => int(5),
            1 => int(6),
            2 => int(7),
            3 => int(8),
            4 => int(9),
            5 => int(4),
            _ => int(0),
        }
    }
}
