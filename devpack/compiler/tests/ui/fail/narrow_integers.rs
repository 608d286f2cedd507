#[contract(name = "Bad")]
pub mod methods {
    use neo_framework::prelude::*;

    const SMALL: u8 = 5;

    struct Packed {
        flags: u32,
        sign: i64,
    }

    fn narrow(a: u64, b: i64, c: usize) -> i32 {
        a as i32
    }

    fn wide() -> Array<u128> {
        Array::new()
    }

    #[method]
    pub fn run(n: Int, b: Bytes) -> Int {
        let a: u8 = 5;
        let c = 5u64;
        let d = n as i64;
        let e = 300 as u8;
        let f = b.at(0) as u8;
        let g: i64 = 5;
        let h = b'a';
        for i in 0u8..5 {}
        for i in 0..10 {
            let j = i as u8;
            n + int(i as i64)
        }
        n
    }
}
