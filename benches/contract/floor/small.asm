; Small pieces of work by hand, all on the evaluation stack.
.contract FloorSmall

.method isName(name:ByteArray) Boolean safe
    DUP
    SIZE
    DUP
    PUSH 1
    PUSH 33
    WITHIN
    JMPIFNOT never
    SWAP
    PUSH 0
    ADD
    ; a number has no zeros above its last byte, so a difference in length is a zero in the name
    TUCK
    SIZE
    JMPNE no
again:
    DUP
    PUSH 255
    AND
    DUP
    PUSH 97
    JMPLT below
    PUSH 122
    JMPGT no
next:
    PUSH 8
    SHR
    DUP
    JMPIF again
    DROP
    PUSHT
    RET
below:
    DUP
    PUSH 95
    JMPEQ drop
    DUP
    PUSH 48
    JMPLT bad
    PUSH 57
    JMPLE next
no:
    DROP
    PUSHF
    RET
drop:
    DROP
    JMP next
bad:
    DROP
    JMP no
never:
    DROP
    DROP
    PUSHF
    RET

.method sum(last:Integer) Integer safe
    PUSH 0
    SWAP
    DUP
    PUSH 0
    JMPLE end
more:
    TUCK
    ADD
    SWAP
    DEC
    DUP
    JMPIF more
end:
    DROP
    RET

.method count(by:Integer) Void
    PUSH 0x01
    SYSCALL System.Storage.Local.Get
    DUP
    ISNULL
    JMPIF first
    ADD
    PUSH 0x01
    SYSCALL System.Storage.Local.Put
    RET
first:
    DROP
    PUSH 0x01
    SYSCALL System.Storage.Local.Put
    RET

; Nothing at all: what it costs is the caller's own.
.method nothing(item:Any) Any safe
    RET
