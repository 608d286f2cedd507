//! phantasma
