//! System calls: services of the node that `SYSCALL` reaches.
//!
//! The id is the first four bytes of the SHA-256 of the name; ids, prices and flags are those of neo-go 0.120
//! (`pkg/core/interops.go`).

/// May read state.
pub const READ_STATES: u8 = 1;
/// May write state.
pub const WRITE_STATES: u8 = 2;
/// May call other contracts.
pub const ALLOW_CALL: u8 = 4;
/// May emit notifications.
pub const ALLOW_NOTIFY: u8 = 8;
/// All four flags.
pub const ALL: u8 = 15;

/// One system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syscall {
    /// Its full name, `System.…`.
    pub name: &'static str,
    /// The operand of `SYSCALL`.
    pub id: [u8; 4],
    /// Price units, without what the handler charges by itself.
    pub price: u32,
    /// Call flags that it needs.
    pub flags: u8,
}

impl Syscall {
    /// The call with this id.
    pub fn by_id(id: [u8; 4]) -> Option<&'static Syscall> {
        SYSCALLS.iter().find(|call| call.id == id)
    }

    /// The call with this name.
    pub fn by_name(name: &str) -> Option<&'static Syscall> {
        SYSCALLS.iter().find(|call| call.name == name)
    }
}

const fn row(name: &'static str, id: [u8; 4], price: u32, flags: u8) -> Syscall {
    Syscall {
        name,
        id,
        price,
        flags,
    }
}

/// All system calls, by name.
pub static SYSCALLS: &[Syscall] = &[
    row("System.Contract.Call", [0x62, 0x7d, 0x5b, 0x52], 32768, 5),
    row("System.Contract.CallNative", [0x1a, 0xf7, 0x7b, 0x67], 0, 0),
    row(
        "System.Contract.CreateMultisigAccount",
        [0x6a, 0x33, 0xe9, 0x09],
        0,
        0,
    ),
    row(
        "System.Contract.CreateStandardAccount",
        [0xcf, 0x99, 0x87, 0x02],
        0,
        0,
    ),
    row(
        "System.Contract.GetCallFlags",
        [0x95, 0xda, 0x3a, 0x81],
        1024,
        0,
    ),
    row(
        "System.Crypto.CheckMultisig",
        [0x9e, 0xd0, 0xdc, 0x3a],
        0,
        0,
    ),
    row("System.Crypto.CheckSig", [0x56, 0xe7, 0xb3, 0x27], 32768, 0),
    row("System.Iterator.Next", [0x9c, 0x08, 0xed, 0x9c], 32768, 0),
    row("System.Iterator.Value", [0xf3, 0x54, 0xbf, 0x1d], 16, 0),
    row("System.Runtime.BurnGas", [0xc3, 0x5a, 0x8c, 0xbc], 16, 0),
    row(
        "System.Runtime.CheckWitness",
        [0xf8, 0x27, 0xec, 0x8c],
        1024,
        0,
    ),
    row(
        "System.Runtime.CurrentSigners",
        [0xac, 0xf1, 0x18, 0x8b],
        16,
        0,
    ),
    row("System.Runtime.GasLeft", [0x14, 0x88, 0xd8, 0xce], 16, 0),
    row(
        "System.Runtime.GetAddressVersion",
        [0x4c, 0x49, 0x92, 0xdc],
        8,
        0,
    ),
    row(
        "System.Runtime.GetCallingScriptHash",
        [0x39, 0x53, 0x6e, 0x3c],
        16,
        0,
    ),
    row(
        "System.Runtime.GetEntryScriptHash",
        [0xf9, 0xb4, 0xe2, 0x38],
        16,
        0,
    ),
    row(
        "System.Runtime.GetExecutingScriptHash",
        [0xdb, 0xfe, 0xa8, 0x74],
        16,
        0,
    ),
    row(
        "System.Runtime.GetInvocationCounter",
        [0x84, 0x27, 0x11, 0x43],
        16,
        0,
    ),
    row("System.Runtime.GetNetwork", [0xc5, 0xfb, 0xa0, 0xe0], 8, 0),
    row(
        "System.Runtime.GetNotifications",
        [0x27, 0x43, 0x35, 0xf1],
        4096,
        0,
    ),
    row("System.Runtime.GetRandom", [0x6b, 0xde, 0xa9, 0x28], 0, 0),
    row(
        "System.Runtime.GetScriptContainer",
        [0x2d, 0x51, 0x08, 0x30],
        8,
        0,
    ),
    row("System.Runtime.GetTime", [0xb7, 0xc3, 0x88, 0x03], 8, 1),
    row("System.Runtime.GetTrigger", [0xe9, 0x7d, 0x38, 0xa0], 8, 0),
    row(
        "System.Runtime.LoadScript",
        [0xb3, 0x0c, 0x80, 0x8f],
        32768,
        4,
    ),
    row("System.Runtime.Log", [0xcf, 0xe7, 0x47, 0x96], 32768, 8),
    row("System.Runtime.Notify", [0x95, 0x01, 0x6f, 0x61], 32768, 8),
    row("System.Runtime.Platform", [0xb2, 0x79, 0xfc, 0xf6], 8, 0),
    row("System.Storage.AsReadOnly", [0x76, 0x4c, 0xbf, 0xe9], 16, 1),
    row("System.Storage.Delete", [0x2f, 0x58, 0xc5, 0xed], 32768, 2),
    row("System.Storage.Find", [0xdf, 0x30, 0xb8, 0x9a], 32768, 1),
    row("System.Storage.Get", [0x92, 0x5d, 0xe8, 0x31], 32768, 1),
    row("System.Storage.GetContext", [0x9b, 0xf6, 0x67, 0xce], 16, 1),
    row(
        "System.Storage.GetReadOnlyContext",
        [0xf6, 0xb4, 0x6b, 0xe2],
        16,
        1,
    ),
    row(
        "System.Storage.Local.Delete",
        [0x75, 0x54, 0xf5, 0x94],
        32768,
        2,
    ),
    row(
        "System.Storage.Local.Find",
        [0x07, 0x76, 0x52, 0xf3],
        32768,
        1,
    ),
    row(
        "System.Storage.Local.Get",
        [0xd5, 0x8d, 0x5e, 0xe8],
        32768,
        1,
    ),
    row(
        "System.Storage.Local.Put",
        [0x39, 0x0c, 0xe3, 0x0a],
        32768,
        2,
    ),
    row("System.Storage.Put", [0xe6, 0x3f, 0x18, 0x84], 32768, 2),
];
