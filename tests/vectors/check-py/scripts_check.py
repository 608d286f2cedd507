"""The sub-VM's scripts: the check of docs/sub-vm.md, and what NeoVM has too compared with neo-mamba."""

from neo3 import vm

from common import equal, unhex

MAX_BYTES = 65515
MAX_INSTRUCTIONS = 1024
UNREACHED = 1 << 30
NEO = {code.value: code.name for code in vm.OpCode}


class Refused(Exception):
    """What the contract would say."""


def operand_of(row, script, at):
    start = at + 1 + row["operand_bytes"]
    if start > len(script):
        raise Refused("script: truncated operand")
    head = int.from_bytes(script[at + 1 : start], "little")
    kind = row["operand"]
    more = {"data": head, "locator": head, "blocks": -(-head // 262144) * 32}.get(kind, 0)
    if more == 0 and kind in ("locator", "blocks"):
        raise Refused("script: empty operand")
    if start + more > len(script):
        raise Refused("script: truncated operand")
    whole = start if kind in ("data", "locator") else at + 1
    return script[whole : start + more], start + more


def decode(table, states, script):
    """The instructions of a script in order."""
    if not 1 <= len(script) <= MAX_BYTES:
        raise Refused("script: empty or too long")
    steps, pending, depth, at = [], {}, 0, 0
    while at < len(script):
        if len(steps) == MAX_INSTRUCTIONS:
            raise Refused("script: too many instructions")
        row = table.get(script[at])
        if row is None:
            raise Refused("script: unknown instruction")
        depth = min(depth, pending.pop(at, depth))
        operand, following = operand_of(row, script, at)
        if depth < row["pops"]:
            raise Refused("script: stack underflow")
        depth += row["pushes"] - row["pops"]
        # These show by succeeding, or by what they take, what is there afterwards.
        least = {"PICK": max(depth, 2), "ROLL": max(depth, 1), "CALL": 1}
        depth = least.get(row["name"], depth)
        if row["operand"] == "state" and operand[0] not in states:
            raise Refused("script: unknown state")
        if row["operand"] == "blocks" and at > 0:
            raise Refused("script: ALLOC is not the first instruction")
        if row["operand"] == "distance":
            distance = int.from_bytes(operand, "little", signed=True)
            if distance < 1:
                raise Refused("script: backward jump")
            pending[at + distance] = min(pending.get(at + distance, depth), depth)
        if row["flow"] in ("jump", "end"):
            depth = UNREACHED
        steps.append({"at": at, "name": row["name"], "operand": operand.hex(), "row": row})
        at = following
    if pending:
        raise Refused("script: jump into an instruction or past the end")
    return steps


def taken(one, steps):
    told = [{key: step[key] for key in ("at", "name", "operand")} for step in steps]
    equal("instructions", told, one["instructions"])
    neovm = all(step["row"]["neovm"] for step in steps)
    equal("NeoVM's alone", neovm, one["neovm"])
    if not neovm:
        return
    # neo-mamba's builder, instruction by instruction, gives the same bytes.
    builder = vm.ScriptBuilder()
    for step in steps:
        operand = unhex(step["operand"])
        if step["row"]["operand"] == "data":
            operand = len(operand).to_bytes(step["row"]["operand_bytes"], "little") + operand
        builder.emit(vm.OpCode[step["name"]], operand)
    equal("as neo-mamba writes it", builder.to_array().hex(), one["bytes"])


def scripts(file):
    for row in file["instructions"]:
        equal(f"{row['name']}: whether NeoVM has it", row["byte"] in NEO, row["neovm"])
        if row["neovm"]:
            equal("name", NEO[row["byte"]], row["name"])
    table = {row["byte"]: row for row in file["instructions"]}
    states = {state["byte"]: state["name"] for state in file["states"]}
    for one in file["scripts"]:
        refused = None
        try:
            steps = decode(table, states, unhex(one["bytes"]))
        except Refused as error:
            refused = str(error)
        equal(f"{one['name']}: refused", refused, one["refused"])
        equal(f"{one['name']}: valid", refused is None, one["valid"])
        if refused is None:
            taken(one, steps)
        else:
            equal(f"{one['name']}: NeoVM's alone", False, one["neovm"])
    for one in file["data"]:
        builder = vm.ScriptBuilder()
        builder.emit_push(unhex(one["data"]))
        equal("a script that pushes data", builder.to_array().hex(), one["bytes"])
