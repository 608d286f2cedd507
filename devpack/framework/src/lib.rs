//! neo-framework
