"""The same pieces in the style of boa's own documentation."""
from boa3.sc.compiletime import NeoMetadata, public
from boa3.sc.storage import get_int, put_int

COUNTER = b'\x01'


def manifest_metadata() -> NeoMetadata:
    return NeoMetadata()


@public(name='isName', safe=True)
def is_name(name: bytes) -> bool:
    """1 to 32 of a-z 0-9 _"""
    left = len(name)
    if left < 1 or left > 32:
        return False
    while left > 0:
        left -= 1
        byte: int = name[left]
        if byte < 97:
            if byte != 95:
                if byte < 48 or byte > 57:
                    return False
        elif byte > 122:
            return False
    return True


@public(name='sum', safe=True)
def sum_to(last: int) -> int:
    total = 0
    while last > 0:
        total += last
        last -= 1
    return total


@public(name='count')
def count(by: int):
    put_int(COUNTER, get_int(COUNTER) + by)
