"""The least that can be called a box: an owner, a gate, a stack of contents; the gate is run by a small interpreter.

The operands lie in local variables, since an append to a list costs 8192. The gate is read where it lies in the record,
since cutting it out costs 10240, and keys are the same short numbers as in Phantasma's contract. Only what the measured gates use is there; nothing is checked
when a gate or a content is stored.
"""
from typing import cast

from boa3.sc.compiletime import NeoMetadata, public
from boa3.sc.runtime import check_witness, time
from boa3.sc.storage import get, put
from boa3.sc.types import UInt160
from boa3.sc.utils import CreateNewEvent

COUNT = b'\x05'

on_written = CreateNewEvent([('boxId', int), ('index', int), ('author', UInt160)], 'ContentWritten')


def manifest_metadata() -> NeoMetadata:
    return NeoMetadata()


@public(name='createBox')
def create_box(owner: UInt160, gate: bytes) -> int:
    assert check_witness(owner)
    box_id = cast(int, get(COUNT)) + 1
    put(COUNT, cast(bytes, box_id))
    put(cast(bytes, box_id * 256 + 0x11), owner + gate)
    return box_id


@public(name='contentAt', safe=True)
def content_at(box_id: int, index: int) -> bytes:
    id_size = len(cast(bytes, box_id))
    key = (index << (id_size * 8 + 8)) + (box_id << 8) + id_size + 0x20
    return get(cast(bytes, key))


@public(name='writeContent')
def write_content(caller: UInt160, box_id: int, content: bytes, max_payment: int) -> int:
    assert len(caller) == 20
    assert check_witness(caller)
    assert max_payment >= 0
    assert box_id > 0
    assert box_id < 0x100000000
    record = get(cast(bytes, box_id * 256 + 0x11))
    size = len(record)
    assert size > 0
    a = 0
    b = 0
    c = 0
    d = 0
    pc = 20
    while pc < size:
        op: int = record[pc]
        pc = pc + 1
        if op < 0xAB:
            if op < 0x26:
                if op > 0x0F:
                    d = c
                    c = b
                    b = a
                    a = op - 0x10
                elif op == 0x02:
                    d = c
                    c = b
                    b = a
                    low: int = record[pc]
                    second: int = record[pc + 1]
                    third: int = record[pc + 2]
                    high: int = record[pc + 3]
                    a = low + second * 0x100 + third * 0x10000 + high * 0x1000000
                    if high > 127:
                        a = a - 0x100000000
                    pc = pc + 4
                else:
                    assert op == 0x08
                    d = c
                    c = b
                    b = a
                    a = cast(int, True)
            elif op < 0x4A:
                if op == 0x26:
                    if a == 0:
                        to: int = record[pc]
                        pc = pc - 1 + to
                    else:
                        pc = pc + 1
                    a = b
                    b = c
                    c = d
                else:
                    assert op == 0x40
                    pc = size
            elif op == 0x4A:
                d = c
                c = b
                b = a
            else:
                assert op == 0x50
                kept = a
                a = b
                b = kept
        elif op < 0xB5:
            if op == 0xAB:
                a = cast(int, a != 0 and b != 0)
            else:
                assert op == 0xB3
                a = cast(int, a == b)
            b = c
            c = d
        elif op < 0xE8:
            if op == 0xB5:
                a = cast(int, b < a)
            else:
                assert op == 0xB8
                a = cast(int, b >= a)
            b = c
            c = d
        elif op == 0xEA:
            d = c
            c = b
            b = a
            which: int = record[pc]
            pc = pc + 1
            if which < 4:
                # write is what is done, read and inspect are not; own is not used
                a = cast(int, which == 0)
            elif which < 6:
                a = box_id
            else:
                assert which == 6
                a = time // 1000
        else:
            assert op == 0xE8
            a = cast(int, True)
            pc = size
    assert a != 0
    count_key = cast(bytes, box_id * 256 + 0x12)
    index = cast(int, get(count_key)) + 0
    put(count_key, cast(bytes, index + 1))
    id_size = len(cast(bytes, box_id))
    key = (index << (id_size * 8 + 8)) + (box_id << 8) + id_size + 0x20
    put(cast(bytes, key), caller + content)
    on_written(box_id, index, caller)
    return index
