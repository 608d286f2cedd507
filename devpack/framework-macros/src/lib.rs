//! neo-framework-macros
