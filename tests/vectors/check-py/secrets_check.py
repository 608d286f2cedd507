"""Content encryption, sealed secrets (RFC 9180), group headers: pycryptodome's primitives, neo-mamba's signatures."""

import hmac

from Crypto.Cipher import AES, ChaCha20_Poly1305
from Crypto.PublicKey import ECC
from neo3.core import cryptography

from common import Wrong, equal, number, sha256, signed, unhex


def encryption(file):
    """AES-256-CTR from a byte of the content on: the counter is the number of the cipher block, big endian."""
    key = sha256(b"phantasma content cipher 1" + unhex(file["content_key"]))
    equal("AES key", key.hex(), file["aes_key"])
    for part in file["parts"]:
        block, inside = divmod(int(part["offset"]), 16)
        cipher = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=block)
        cipher.encrypt(bytes(inside))
        equal("ciphertext", cipher.encrypt(unhex(part["plaintext"])).hex(), part["ciphertext"])


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), "sha256").digest()


class Labelled:
    """HKDF-Extract and -Expand with the labels of RFC 9180."""

    def __init__(self, suite):
        self.head = b"HPKE-v1" + suite

    def extract(self, salt, label, value):
        return mac(salt or bytes(32), self.head, label, value)

    def expand(self, secret, label, info, length):
        return mac(secret, number(length << 8, 2), self.head, label, info, b"\1")[:length]


def opened(private, encapsulated, info, ciphertext):
    """What was sealed in base mode: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305."""
    reader = ECC.construct(curve="P-256", d=int.from_bytes(private, "big"))
    sender = ECC.import_key(encapsulated, curve_name="P-256")
    shared = sender.pointQ * reader.d
    secret = int(shared.x).to_bytes(32, "big")
    kem = Labelled(b"KEM\x00\x10")
    own = reader.public_key().export_key(format="SEC1")
    secret = kem.extract(b"", b"eae_prk", secret)
    secret = kem.expand(secret, b"shared_secret", encapsulated + own, 32)
    suite = Labelled(b"HPKE\x00\x10\x00\x01\x00\x03")
    context = b"\0" + suite.extract(b"", b"psk_id_hash", b"") + suite.extract(b"", b"info_hash", info)
    secret = suite.extract(secret, b"secret", b"")
    key = suite.expand(secret, b"key", context, 32)
    nonce = suite.expand(secret, b"base_nonce", context, 12)
    cipher = ChaCha20_Poly1305.new(key=key, nonce=nonce)
    return cipher.decrypt_and_verify(ciphertext[:-16], ciphertext[-16:])


def sealed(file):
    for kind, one in enumerate(file["secrets"], 1):
        private = unhex(one["reader_private_key"])
        equal("reader", cryptography.KeyPair(private).public_key.to_array().hex(), one["reader"])
        info = b"PHS1" + number(kind, 1) + unhex(one["sender"]) + unhex(one["reader"])
        equal("info", info.hex(), one["info"])
        ciphertext = unhex(one["ciphertext"])
        body = info + unhex(one["encapsulated"]) + number(len(ciphertext), 4) + ciphertext
        equal("signed bytes", body.hex(), one["signed_bytes"])
        signed("signature", body, one["signature"], one["sender"])
        equal("encoded", one["signed_bytes"] + one["signature"], one["encoded"])
        secret = opened(private, unhex(one["encapsulated"]), info, ciphertext)
        equal("secret", secret.hex(), one["secret"])


def text(end):
    return b"phantasma group 1 " + end


def depth(node):
    return node.bit_length() - 1


def label_of(keys, top, node):
    """The label of (top, node), from the keys of the whole group."""
    label = mac(keys, text(b"top"), number(top, 4))
    for level in reversed(range(depth(node) - depth(top))):
        label = mac(label, text(b"right" if node >> level & 1 else b"left"))
    return label


def member_of(file, place):
    keys, height = unhex(file["group_keys"]), file["height"]
    leaf = (1 << height) + place
    fixed = b"PHK1" + unhex(file["owner"]) + unhex(file["group"]) + number(file["epoch"], 4)
    fixed += number(height, 1) + number(place, 4) + mac(keys, text(b"everyone"))
    labels = [
        label_of(keys, leaf >> height - top, leaf >> height - below ^ 1)
        for top in range(height)
        for below in range(top + 1, height + 1)
    ]
    return (fixed + b"".join(labels)).hex()


def unwrap(key, wrapped):
    """AES-256 key wrap (RFC 3394, 2.2.2)."""
    cipher = AES.new(key, AES.MODE_ECB)
    check, blocks = wrapped[:8], [wrapped[at : at + 8] for at in range(8, len(wrapped), 8)]
    for step in range(6 * len(blocks), 0, -1):
        at = (step - 1) % len(blocks)
        mixed = int.from_bytes(check, "big") ^ step
        plain = cipher.decrypt(mixed.to_bytes(8, "big") + blocks[at])
        check, blocks[at] = plain[:8], plain[8:]
    if check != b"\xa6" * 8:
        raise Wrong("a wrapped key that does not open")
    return b"".join(blocks)


def places_of(file, entry):
    """The places that an entry is for."""
    height, excluded, up = file["height"], entry["excluded"], entry["up"]
    places = range(1 << height)
    if (excluded, up) == (1, 0):
        return list(places)

    def below(place, top):
        return ((1 << height) + place) >> (height - depth(top)) == top

    return [place for place in places if below(place, excluded >> up) and not below(place, excluded)]


def header(file, one):
    context = b"PHG1" + unhex(file["owner"]) + unhex(file["group"]) + number(file["epoch"], 4)
    context += number(file["height"], 1) + unhex(one["content"]) + unhex(one["salt"])
    equal("context", context.hex(), one["context"])
    keys, entries, covered = unhex(file["group_keys"]), b"", []
    for entry in one["entries"]:
        excluded, up = entry["excluded"], entry["up"]
        place = number(excluded, 4) + number(up, 1)
        entries += place + unhex(entry["wrapped"])
        covered += places_of(file, entry)
        subset = mac(keys, text(b"everyone"))
        if up > 0:
            subset = mac(label_of(keys, excluded >> up, excluded), text(b"key"))
        wrap = mac(subset, text(b"wrap"), sha256(context), place)
        equal("content's key", unwrap(wrap, unhex(entry["wrapped"])).hex(), one["content_key"])
    rest = [place for place in range(1 << file["height"]) if place not in one["revoked"]]
    equal("places", rest, sorted(covered))
    equal("revoked", len(rest) + len(one["revoked"]), 1 << file["height"])
    body = context + number(len(one["entries"]), 4) + entries
    equal("signed bytes", body.hex(), one["signed_bytes"])
    equal("encoded", one["encoded"][:-128], one["signed_bytes"])
    signed("signature", body, one["encoded"][-128:], file["owner"])


def groups(file):
    group = sha256(text(b"box") + unhex(file["contract"]) + number(file["box"], 8))
    equal("group", group.hex(), file["group"])
    for member in file["members"]:
        equal("member's keys", member_of(file, member["place"]), member["encoded"])
    for one in file["headers"]:
        header(file, one)
