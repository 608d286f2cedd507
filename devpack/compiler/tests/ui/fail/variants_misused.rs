#[contract(name = "Fail")]
pub mod methods {
    use neo_framework::prelude::*;

    pub enum Order {
        Buy(Int),
        Sell { amount: Int, to: Hash160 },
        Cancel,
    }

    pub enum Numbered {
        A(Int) = 5,
        B(i64),
    }

    #[method(safe)]
    pub fn run(n: Int) -> Int {
        let a = Order::Buy;
        let b = Order::Buy(n, n);
        let c = Order::Buy(text("x"));
        let d = Order::Sell(n);
        let e = Order::Sell { amount: n };
        let f = Order::Cancel { amount: n };
        let g = Order::Cancel(n);
        let h = Order::Buy(5);
        let i = Numbered::A(n);
        let j = Order::Cancel == Order::Cancel;
        let k = int(Order::Cancel as i64);
        n
    }

    #[method(safe)]
    pub fn taken(o: Order) -> Int {
        int(0)
    }
}
