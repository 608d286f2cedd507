//! phantasma-wire
