//! The operators of [`Int`], with an `Int` or an `i64` on the right (for `+`
//! and `*` also on the left).

use std::ops::{
    Add, AddAssign, BitAnd, BitAndAssign, BitOr, BitOrAssign, BitXor, BitXorAssign, Div, DivAssign,
    Mul, MulAssign, Neg, Not, Rem, RemAssign, Shl, ShlAssign, Shr, ShrAssign, Sub, SubAssign,
};

use super::{Int, int, overflow};
use crate::fault::fault;

macro_rules! operator {
    ($($operator:ident::$method:ident, $assign:ident::$assign_method:ident;)+) => {$(
        impl $operator<i64> for Int {
            type Output = Int;
            #[track_caller]
            fn $method(self, right: i64) -> Int {
                $operator::$method(self, int(right))
            }
        }
        impl $assign<Int> for Int {
            #[track_caller]
            fn $assign_method(&mut self, right: Int) {
                *self = $operator::$method(*self, right);
            }
        }
        impl $assign<i64> for Int {
            #[track_caller]
            fn $assign_method(&mut self, right: i64) {
                *self = $operator::$method(*self, int(right));
            }
        }
    )+};
}

operator! {
    Add::add, AddAssign::add_assign;
    Sub::sub, SubAssign::sub_assign;
    Mul::mul, MulAssign::mul_assign;
    Div::div, DivAssign::div_assign;
    Rem::rem, RemAssign::rem_assign;
    BitAnd::bitand, BitAndAssign::bitand_assign;
    BitOr::bitor, BitOrAssign::bitor_assign;
    BitXor::bitxor, BitXorAssign::bitxor_assign;
    Shl::shl, ShlAssign::shl_assign;
    Shr::shr, ShrAssign::shr_assign;
}

impl Add for Int {
    type Output = Int;
    #[track_caller]
    fn add(self, right: Int) -> Int {
        self.wide()
            .checked_add(right.wide())
            .map_or_else(|| overflow(), Int::narrow)
    }
}

impl Sub for Int {
    type Output = Int;
    #[track_caller]
    fn sub(self, right: Int) -> Int {
        self.wide()
            .checked_sub(right.wide())
            .map_or_else(|| overflow(), Int::narrow)
    }
}

impl Mul for Int {
    type Output = Int;
    #[track_caller]
    fn mul(self, right: Int) -> Int {
        self.wide()
            .checked_mul(right.wide())
            .map_or_else(|| overflow(), Int::narrow)
    }
}

/// Truncates toward zero.
impl Div for Int {
    type Output = Int;
    #[track_caller]
    fn div(self, right: Int) -> Int {
        if right == Int::ZERO {
            fault("division by zero");
        }
        self.wide()
            .checked_div(right.wide())
            .map_or_else(|| overflow(), Int::narrow)
    }
}

/// Has the sign of the dividend.
impl Rem for Int {
    type Output = Int;
    #[track_caller]
    fn rem(self, right: Int) -> Int {
        if right == Int::ZERO {
            fault("division by zero");
        }
        // MIN % -1 is 0 for NeoVM, though MIN / -1 overflows.
        self.wide()
            .checked_rem(right.wide())
            .map_or(Int::ZERO, Int::narrow)
    }
}

impl BitAnd for Int {
    type Output = Int;
    fn bitand(self, right: Int) -> Int {
        Int::narrow(self.wide() & right.wide())
    }
}

impl BitOr for Int {
    type Output = Int;
    fn bitor(self, right: Int) -> Int {
        Int::narrow(self.wide() | right.wide())
    }
}

impl BitXor for Int {
    type Output = Int;
    fn bitxor(self, right: Int) -> Int {
        Int::narrow(self.wide() ^ right.wide())
    }
}

/// By 0..=256; bits that are pushed out of the range are a fault.
impl Shl for Int {
    type Output = Int;
    #[track_caller]
    fn shl(self, right: Int) -> Int {
        let count = shift_count(right);
        if self == Int::ZERO {
            return self;
        }
        if count > 255 {
            overflow();
        }
        let shifted = self.wide() << count;
        if shifted >> count != self.wide() {
            overflow();
        }
        Int::narrow(shifted)
    }
}

/// By 0..=256; floors, so that −1 stays −1.
impl Shr for Int {
    type Output = Int;
    #[track_caller]
    fn shr(self, right: Int) -> Int {
        // 255 already leaves nothing but the sign.
        Int::narrow(self.wide() >> shift_count(right).min(255))
    }
}

#[track_caller]
fn shift_count(count: Int) -> u32 {
    match count.shift_count() {
        Some(count) => count,
        None => fault("operand must be between 0 and 256"),
    }
}

impl Neg for Int {
    type Output = Int;
    #[track_caller]
    fn neg(self) -> Int {
        self.wide()
            .checked_neg()
            .map_or_else(|| overflow(), Int::narrow)
    }
}

impl Not for Int {
    type Output = Int;
    fn not(self) -> Int {
        Int::narrow(!self.wide())
    }
}

impl Add<Int> for i64 {
    type Output = Int;
    #[track_caller]
    fn add(self, right: Int) -> Int {
        int(self) + right
    }
}

impl Mul<Int> for i64 {
    type Output = Int;
    #[track_caller]
    fn mul(self, right: Int) -> Int {
        int(self) * right
    }
}
