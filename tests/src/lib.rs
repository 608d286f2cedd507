//! phantasma-tests
