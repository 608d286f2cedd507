#[contract(name = "Variants")]
pub mod methods {
    use neo_framework::prelude::*;

    #[derive(Clone, Item)]
    pub enum Order {
        Buy(Int),
        Sell { amount: Int, to: Hash160 },
        Cancel,
    }

    pub enum Problem {
        Small,
        Odd,
    }

    fn worth(order: &Order) -> Int {
        match order {
            Order::Buy(n) if *n > 100 => int(100),
            Order::Buy(n) => *n,
            Order::Sell { amount, .. } => -*amount,
            Order::Cancel => int(0),
        }
    }

    fn even(n: Int) -> Result<(), Problem> {
        if n % 2 == 0 { Ok(()) } else { Err(Problem::Odd) }
    }

    fn half(n: Option<Int>) -> Result<Int, Problem> {
        let n = n.ok_or(Problem::Small)?;
        even(n)?;
        Ok(n / 2)
    }

    #[method(safe)]
    pub fn run(n: Int, to: Hash160) -> Int {
        let order = if n > 5 { Order::Buy(n) } else { Order::Sell { amount: n, to } };
        worth(&order) + half(Some(n)).unwrap_or(int(-1))
    }

    #[method(safe)]
    pub fn no_struct_for_this_tuple(a: Option<Int>, b: bool) -> Int {
        match (a, b) {
            (Some(n), true) => n,
            (None, _) => int(-1),
            _ => int(0),
        }
    }
}
