//! phantasma-pdfs
