; A plain NEP-17 token by hand. Accounts are keyed by 10 and the account, read as one number: 18 units where CAT costs 2048.
.contract FloorToken NEP-17
.event Transfer from:Hash160 to:Hash160 amount:Integer
.token isContract fda3fa4346ea532a258fc497ddaddb6437c9fdff 1 returns flags 1

.method symbol() String safe
    PUSH "BENCH"
    RET

.method decimals() Integer safe
    PUSH 8
    RET

.method totalSupply() Integer safe
    PUSH 0x01
    SYSCALL System.Storage.Local.Get
    PUSH 0
    ADD
    RET

.method balanceOf(account:Hash160) Integer safe
    DUP
    SIZE
    PUSH 20
    JMPNE wrong
    PUSH 8
    SHL
    PUSH 16
    ADD
    SYSCALL System.Storage.Local.Get
    DUP
    ISNULL
    JMPIF nothing
    PUSH 0
    ADD
    RET
nothing:
    DROP
    PUSH 0
    RET
; within reach of the jumps of both methods around it
wrong:
    ABORT
refused:
    PUSHF
    RET

.method transfer(from:Hash160,to:Hash160,amount:Integer,data:Any) Boolean
    INITSLOT 2 4
    LDARG0
    SIZE
    PUSH 20
    JMPNE wrong
    LDARG1
    SIZE
    PUSH 20
    JMPNE wrong
    LDARG2
    PUSH 0
    JMPLT wrong
    LDARG0
    SYSCALL System.Runtime.CheckWitness
    JMPIFNOT refused
    LDARG0
    PUSH 8
    SHL
    PUSH 16
    ADD
    DUP
    STLOC0
    SYSCALL System.Storage.Local.Get
    DUP
    ISNULL
    JMPIFNOT has
    DROP
    PUSH 0
has:
    DUP
    STLOC1
    LDARG2
    JMPLT refused
    LDARG2
    PUSH 0
    JMPEQ event
    LDARG0
    LDARG1
    EQUAL
    JMPIF event
    LDLOC1
    LDARG2
    SUB
    DUP
    JMPIFNOT emptied
    LDLOC0
    SYSCALL System.Storage.Local.Put
    JMP credit
emptied:
    DROP
    LDLOC0
    SYSCALL System.Storage.Local.Delete
credit:
    LDARG1
    PUSH 8
    SHL
    PUSH 16
    ADD
    DUP
    STLOC0
    SYSCALL System.Storage.Local.Get
    DUP
    ISNULL
    JMPIFNOT had
    DROP
    PUSH 0
had:
    LDARG2
    ADD
    LDLOC0
    SYSCALL System.Storage.Local.Put
event:
    LDARG2
    LDARG1
    LDARG0
    PUSH 3
    PACK
    PUSH "Transfer"
    SYSCALL System.Runtime.Notify
    LDARG1
    CALLT isContract
    JMPIFNOT done
    LDARG3
    LDARG2
    LDARG0
    PUSH 3
    PACK
    PUSH 15
    PUSH "onNEP17Payment"
    LDARG1
    SYSCALL System.Contract.Call
    DROP
done:
    PUSHT
    RET

.method _deploy(data:Any,update:Boolean) Void
    INITSLOT 0 2
    LDARG1
    JMPIF updated
    PUSH 1000000000000000
    PUSH 0x01
    SYSCALL System.Storage.Local.Put
    PUSH 1000000000000000
    LDARG0
    PUSH 8
    SHL
    PUSH 16
    ADD
    SYSCALL System.Storage.Local.Put
    PUSH 1000000000000000
    LDARG0
    PUSHNULL
    PUSH 3
    PACK
    PUSH "Transfer"
    SYSCALL System.Runtime.Notify
updated:
    RET
