//! neo-client
