//! pdfs
