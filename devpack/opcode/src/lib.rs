//! neo-opcode
