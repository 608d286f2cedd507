// The sub-VM's scripts: the check of docs/sub-vm.md, and what NeoVM has too compared with neon-js.

import { bytes, equal, hex } from "./common.mjs";

const MAX_BYTES = 65515;
const MAX_INSTRUCTIONS = 1024;
const FIRST_OWN = 0xe8;

class Refused extends Error {}

/** The instructions of a script in order; throws what the contract would say. */
function decode(table, states, script) {
    if (script.length === 0 || script.length > MAX_BYTES) throw new Refused("script: empty or too long");
    const starts = new Map();
    const steps = [];
    let pending = new Map();
    let depth = 0;
    for (let at = 0; at < script.length;) {
        if (steps.length === MAX_INSTRUCTIONS) throw new Refused("script: too many instructions");
        const row = table.get(script[at]);
        if (row === undefined) throw new Refused("script: unknown instruction");
        const arrived = pending.get(at);
        if (arrived !== undefined) depth = Math.min(depth, arrived);
        pending.delete(at);
        const [operand, next] = operandOf(row, script, at);
        if (depth < row.pops) throw new Refused("script: stack underflow");
        depth += row.pushes - row.pops;
        if (row.name === "PICK") depth = Math.max(depth, 2);
        if (row.name === "ROLL") depth = Math.max(depth, 1);
        if (row.name === "CALL") depth = 1;
        if (row.operand === "state" && !states.has(operand[0])) throw new Refused("script: unknown state");
        if (row.operand === "blocks" && at > 0) throw new Refused("script: ALLOC is not the first instruction");
        if (row.operand === "distance") {
            const distance = operand.readInt8(0);
            if (distance < 1) throw new Refused("script: backward jump");
            const target = at + distance;
            pending.set(target, Math.min(pending.get(target) ?? Infinity, depth));
        }
        if (row.flow === "jump" || row.flow === "end") depth = Infinity;
        starts.set(at, true);
        steps.push({ at, row, operand });
        at = next;
    }
    if (pending.size > 0) throw new Refused("script: jump into an instruction or past the end");
    return steps;
}

function operandOf(row, script, at) {
    const start = at + 1 + row.operand_bytes;
    if (start > script.length) throw new Refused("script: truncated operand");
    const head = script.subarray(at + 1, start);
    let more = 0;
    if (row.operand === "data" || row.operand === "locator") more = head.readUIntLE(0, row.operand_bytes);
    if (row.operand === "blocks") more = Number((head.readBigUInt64LE(0) + 262143n) / 262144n) * 32;
    if (more === 0 && ["locator", "blocks"].includes(row.operand)) throw new Refused("script: empty operand");
    if (start + more > script.length) throw new Refused("script: truncated operand");
    const whole = row.operand === "data" || row.operand === "locator" ? start : at + 1;
    return [script.subarray(whole, start + more), start + more];
}

/** Rows that NeoVM has, under NeoVM's name and with its operand; all others where NeoVM has nothing. */
function instructions(file, sc) {
    for (const row of file.instructions) {
        const name = sc.OpCode[row.byte];
        equal(`${row.name}: whether NeoVM has it`, name !== undefined, row.neovm);
        equal(`${row.name}: whether it is one of ours`, row.byte >= FIRST_OWN, !row.neovm);
        if (!row.neovm) continue;
        equal("name", name, row.name);
        const size = { none: 0, number: row.operand_bytes, distance: 1, data: row.operand_bytes + 3 }[row.operand];
        const length = row.operand === "data" ? `03${"00".repeat(row.operand_bytes - 1)}` : "";
        const operand = length + "11".repeat(size - length.length / 2);
        const tokens = sc.OpToken.fromScript(row.byte.toString(16).padStart(2, "0") + operand);
        equal(`${row.name}: instructions`, tokens.length, 1);
        equal(`${row.name}: code`, tokens[0].code, row.byte);
    }
}

function taken(file, one, steps, sc) {
    const told = one.instructions.map((step) => `${step.at} ${step.name} ${step.operand}`);
    const found = steps.map((step) => `${step.at} ${step.row.name} ${hex(step.operand)}`);
    equal("instructions", found.join("; "), told.join("; "));
    equal("NeoVM's alone", steps.every((step) => step.row.neovm), one.neovm);
    if (!one.neovm) return;
    const tokens = sc.OpToken.fromScript(one.bytes);
    const theirs = tokens.map((token) => `${sc.OpCode[token.code]} ${token.params ?? ""}`);
    equal("as neon-js reads it", theirs.join(), steps.map((step) => `${step.row.name} ${hex(step.operand)}`).join());
}

export function scripts(file, sc) {
    instructions(file, sc);
    const table = new Map(file.instructions.map((row) => [row.byte, row]));
    const states = new Map(file.states.map((state) => [state.byte, state.name]));
    for (const one of file.scripts) {
        let refused = null;
        let steps = [];
        try {
            steps = decode(table, states, bytes(one.bytes));
        } catch (error) {
            if (!(error instanceof Refused)) throw error;
            refused = error.message;
        }
        equal(`${one.name}: refused`, refused, one.refused);
        equal(`${one.name}: valid`, refused === null, one.valid);
        if (refused === null) taken(file, one, steps, sc);
        else equal(`${one.name}: NeoVM's alone`, false, one.neovm);
    }
    for (const one of file.data) {
        const script = new sc.ScriptBuilder().emitHexString(one.data).build();
        equal("a script that pushes data", script, one.bytes);
    }
}
