//! neoc
