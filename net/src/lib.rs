//! phantasma-net
