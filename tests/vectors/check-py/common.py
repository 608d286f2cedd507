"""What every check needs: bytes, numbers, the tree of RFC 6962, signatures by neo-mamba."""

import functools
import hashlib
import re

from neo3.core import cryptography


class Wrong(Exception):
    """A vector that is not what it should be."""


def equal(what, ours, theirs):
    if ours != theirs or type(ours) is not type(theirs):
        raise Wrong(f"{what}: {theirs!r} instead of {ours!r}")


def unhex(text):
    if not re.fullmatch("([0-9a-f]{2})*", text):
        raise Wrong(f"not hex digits: {text}")
    return bytes.fromhex(text)


def number(value, size):
    return int(value).to_bytes(size, "little")


def sha256(data):
    return hashlib.sha256(data).digest()


@functools.cache
def pattern(size):
    """Byte i of a content of the vectors is (7 i + i / 1024 + i / 262144) mod 256."""
    return bytes((7 * i + i // 1024 + i // 262144) & 255 for i in range(size))


def tree_of(leaves):
    """All levels, leaves first. The last node of a level that has no sibling goes up as it is."""
    levels = [[sha256(b"\0" + leaf) for leaf in leaves]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = [below[at : at + 2] for at in range(0, len(below), 2)]
        levels.append([sha256(b"\1" + b"".join(pair)) if len(pair) == 2 else pair[0] for pair in pairs])
    return levels


def root_over(index, count, node, path):
    """The root, in hex, that a node and its path lead to; None when the path has the wrong length."""
    siblings = [unhex(text) for text in path]
    last = count - 1
    if not 0 <= index <= last:
        return None
    while last > 0:
        if index % 2 == 1 or index != last:
            if not siblings:
                return None
            sibling = siblings.pop(0)
            node = sha256(b"\1" + (sibling + node if index % 2 else node + sibling))
        index, last = index // 2, last // 2
    return None if siblings else node.hex()


def signed(what, message, signature, key):
    signature, key = unhex(signature), unhex(key)
    if len(signature) != 64 or not cryptography.verify_signature(message, signature, key):
        raise Wrong(f"{what} {signature.hex()} is not one of {key.hex()}")
