//! phantasma-vm
