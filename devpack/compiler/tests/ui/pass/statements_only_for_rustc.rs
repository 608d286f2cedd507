//! A statement that `cfg` leaves out leaves no byte.

#[contract(name = "Left")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method]
    pub fn doubled(number: Int) -> Int {
        #[cfg(not(neo))]
        crate::watch(number);
        #[cfg(not(neo))]
        number.nobody_has_this();
        #[cfg(neo)]
        runtime::log(&text("here"));
        number + number
    }
}

#[cfg(not(neo))]
fn watch(number: Int) {
    println!("{number}");
}
