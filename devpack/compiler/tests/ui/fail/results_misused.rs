#[contract(name = "Fail")]
pub mod methods {
    use neo_framework::prelude::*;

    pub enum A {
        One,
    }

    pub enum B {
        Two,
    }

    fn a() -> Result<Int, A> {
        Ok(int(1))
    }

    fn b() -> Result<Int, B> {
        let n = a()?;
        Ok(n)
    }

    fn c() -> Result<Int, A> {
        let n: Option<Int> = None;
        n?;
        Err(B::Two)
    }

    fn d() -> Result<Int, Option<Int>> {
        Err(None)
    }

    fn e() -> Option<Result<Int, A>> {
        None
    }

    fn f() -> Result<Int> {
        Ok(5)
    }

    #[method(safe)]
    pub fn run() -> Int {
        a()?;
        let r = Err(A::One);
        match a() {
            Ok(n) => n,
            Err(A::One) if true => int(0),
        };
        a().map_err(b).unwrap_or(true)
    }

    #[method(safe)]
    pub fn others() -> Int {
        b().expect("b");
        c().expect("c");
        d().expect("d");
        e().expect("e");
        f().expect("f")
    }
}
