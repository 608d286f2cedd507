#[contract(name = "Fail")]
pub mod methods {
    use neo_framework::prelude::*;

    pub enum Order {
        Buy(Int),
        Sell { amount: Int, to: Bytes },
        Cancel,
    }

    pub struct Point {
        x: Int,
        y: Int,
    }

    fn order() -> Order {
        Order::Cancel
    }

    #[method(safe)]
    pub fn run(n: Int) -> Int {
        match order() {
            Order::Buy(a, b) => a,
            Order::Sell { amount } => amount,
            Order::Sell { price, .. } => price,
            Order::Cancel(_) => n,
            Order::Lost => n,
            Some(x) => x,
            Ok(x) => x,
            Point { x, .. } => x,
            5 => n,
            _ => n,
        }
    }

    #[method(safe)]
    pub fn not_all(n: Int) -> Int {
        match order() {
            Order::Buy(_) => n,
            Order::Sell { amount: Int::ZERO, .. } => n,
            Order::Cancel => n,
        }
    }

    #[method(safe)]
    pub fn not_all_pairs(n: Option<Int>, b: bool) -> Int {
        match (n, b) {
            (Some(_), true) => int(1),
            (None, false) => int(2),
        }
    }

    #[method(safe)]
    pub fn names_in_alternatives() -> Int {
        match order() {
            Order::Buy(n) | Order::Sell { amount: n, .. } => n,
            Order::Cancel => int(0),
        }
    }

    #[method(safe)]
    pub fn may_not_fit() -> Int {
        let Order::Buy(n) = order();
        n
    }
}
