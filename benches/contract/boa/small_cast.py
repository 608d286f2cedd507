"""Small pieces of work in the cheapest style: numbers instead of bytes, `cast` instead of conversions."""
from typing import cast

from boa3.sc.compiletime import NeoMetadata, public
from boa3.sc.storage import get, put

COUNTER = b'\x01'


def manifest_metadata() -> NeoMetadata:
    return NeoMetadata()


@public(name='isName', safe=True)
def is_name(name: bytes) -> bool:
    """1 to 32 of a-z 0-9 _"""
    length = len(name)
    if length < 1:
        return False
    if length > 32:
        return False
    rest = cast(int, name) + 0
    # a number has no zeros above its last byte
    if len(cast(bytes, rest)) != length:
        return False
    while rest != 0:
        byte = rest & 255
        if byte < 97:
            if byte != 95:
                if byte < 48:
                    return False
                if byte > 57:
                    return False
        elif byte > 122:
            return False
        rest = rest >> 8
    return True


@public(name='sum', safe=True)
def sum_to(last: int) -> int:
    total = 0
    n = 1
    while n <= last:
        total = total + n
        n = n + 1
    return total


@public(name='count')
def count(by: int):
    put(COUNTER, cast(bytes, cast(int, get(COUNTER)) + by))
