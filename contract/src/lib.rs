//! phantasma-contract
