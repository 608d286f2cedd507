//! phantasma-relay
