"""Checks test vectors with neo-mamba (keys, addresses, signatures, NeoVM's instructions) and pycryptodome.

It shares no code with the programs that made them: everything here follows from docs/protocol.md and docs/sub-vm.md.

    python check.py FILE...

Says `ok` or `FAIL` for each file and ends with 1 when one failed.
"""

import json
import sys

from neo3.contracts import utils as contracts
from neo3.core import cryptography
from neo3.wallet import account, utils as wallets

import secrets_check
from common import (
    Wrong, equal, number, pattern, root_over, sha256, signed, tree_of, unhex,
)
from scripts_check import scripts


def accounts(file):
    for one in file["accounts"]:
        pair = cryptography.KeyPair(unhex(one["private_key"]))
        equal("public key", pair.public_key.to_array().hex(), one["public_key"])
        key = account.Account.private_key_from_wif(one["wif"])
        equal("WIF's key", key.hex(), one["private_key"])
        script = contracts.create_signature_redeemscript(pair.public_key)
        equal("verification script", script.hex(), one["verification_script"])
        script_hash = wallets.public_key_to_script_hash(pair.public_key)
        equal("script hash", script_hash.to_array().hex(), one["script_hash"])
        equal("address", wallets.script_hash_to_address(script_hash), one["address"])
        equal("address's hash", wallets.address_to_script_hash(one["address"]), script_hash)
        signed("signature", unhex(one["message"]), one["signature"], one["public_key"])


def merkle(file):
    contents = {}
    for content in file["contents"]:
        contents[content["size"]] = content
        data = pattern(content["size"])
        chunks = [data[at : at + 1024] for at in range(0, len(data), 1024)]
        levels = tree_of(chunks)
        equal("root", levels[-1][0].hex(), content["root"])
        blocks = content["blocks"]
        equal("number of blocks", -(-len(data) // 262144), len(blocks))
        for at, block in enumerate(blocks):
            equal("index", at, block["index"])
            top = tree_of(chunks[at * 256 : at * 256 + 256])[-1][0]
            equal("block's id", top.hex(), block["id"])
            root = root_over(at, len(blocks), top, block["path"])
            equal("root from a block", root, content["root"])
        for chunk in content["chunks"]:
            leaf = levels[0][chunk["index"]]
            equal("chunk's hash", leaf.hex(), chunk["hash"])
            root = root_over(chunk["index"], len(chunks), leaf, chunk["path"])
            equal("root from a chunk", root, content["root"])
    for one in file["refused"]:
        content = contents[one["size"]]
        blocks = content["blocks"]
        equal("root", content["root"], one["root"])
        equal("block's id", blocks[one["index"]]["id"], one["id"])
        root = root_over(one["index"], len(blocks), unhex(one["id"]), one["path"])
        if root == one["root"]:
            raise Wrong(f"{one['why']}: it holds")
        # Each is a real path with one thing wrong.
        own = blocks[one["index"]]["path"]
        real = [block["path"] for block in blocks]
        wrongs = [own[:-1], own + ["00" * 32]] + [path for path in real if path != own]
        if one["path"] not in wrongs:
            raise Wrong(f"{one['why']}: not what it says")


def message(one, place):
    body = b"".join([
        b"PHM1", number(one["network"], 4), unhex(one["contract"]), unhex(one["author"]),
        number(one["box"], 8), number(one["sequence"], 8), number(one["time_ms"], 8),
        number(one["class"], 1), unhex(one["payload"]),
    ])
    equal("signed bytes", body.hex(), one["signed_bytes"])
    if one["class"] not in (0, 1, 2):
        raise Wrong(f"class {one['class']}")
    equal("id", sha256(body).hex(), one["id"])
    inner = unhex(one["signature"]) + place + body
    equal("encoded", (number(len(inner), 4) + inner).hex(), one["encoded"])
    return body


def messages(file):
    for one in file["messages"]:
        body = message(one, b"")
        signed("signature", body, one["signature"], one["author"])
    batch = file["batch"]
    count = len(batch["messages"])
    equal("number", count, batch["count"])
    levels = tree_of([unhex(one["id"]) for one in batch["messages"]])
    equal("root", levels[-1][0].hex(), batch["root"])
    claim = b"PHB1" + number(count, 2) + levels[-1][0]
    equal("signed bytes of the batch", claim.hex(), batch["signed_bytes"])
    whole = unhex(batch["signature"]) + number(count, 2)
    for at, one in enumerate(batch["messages"]):
        equal("index", at, one["index"])
        equal("count", count, one["count"])
        equal("signature", batch["signature"], one["signature"])
        siblings = [level[at >> up ^ 1 :][:1] for up, level in enumerate(levels[:-1])]
        path = b"".join(sibling[0] for sibling in siblings if sibling)
        body = message(one, b"PHB1" + number(at, 2) + number(count, 2) + path)
        whole += number(len(body), 4) + body
        signed("signature of the batch", claim, batch["signature"], one["author"])
    equal("encoded batch", whole.hex(), batch["encoded"])


def anchors(file):
    for one in file["anchors"]:
        count = len(one["ids"])
        equal("number of ids", count, one["count"])
        levels = tree_of([unhex(text) for text in one["ids"]])
        equal("root", levels[-1][0].hex(), one["root"])
        anchor = b"PHA1" + number(one["first"], 8) + number(count, 4) + levels[-1][0]
        equal("bytes", anchor.hex(), one["bytes"])
        equal("paths", count, len(one["paths"]))
        for at, path in enumerate(one["paths"]):
            equal("position", str(int(one["first"]) + at), path["position"])
            root = root_over(at, count, levels[0][at], path["path"])
            equal("root from a path", root, one["root"])


KINDS = {
    "accounts": accounts,
    "scripts": scripts,
    "merkle": merkle,
    "messages": messages,
    "anchors": anchors,
    "encryption": secrets_check.encryption,
    "sealed": secrets_check.sealed,
    "groups": secrets_check.groups,
}


def main(names):
    failed = not names
    for name in names:
        try:
            with open(name, encoding="utf-8") as text:
                file = json.load(text)
            KINDS[file["kind"]](file)
            print(f"ok {name}")
        except Exception as error:  # Whatever a wrong file leads to is a failure of that file.
            failed = True
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            print(f"FAIL {name}: {reason[:300]}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
