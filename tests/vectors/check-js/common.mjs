// What every check needs: bytes, numbers, the tree of RFC 6962, signatures by neon-js.

import { createHash } from "node:crypto";
import { wallet } from "@cityofzion/neon-js";

export function bytes(text) {
    if (typeof text !== "string" || !/^([0-9a-f]{2})*$/.test(text)) throw new Error(`not hex digits: ${text}`);
    return Buffer.from(text, "hex");
}

export const hex = (data) => Buffer.from(data).toString("hex");

export function equal(what, ours, theirs) {
    if (ours !== theirs) throw new Error(`${what}: ${theirs} instead of ${ours}`);
}

function number(value, size) {
    const out = Buffer.alloc(size);
    let left = BigInt(value);
    for (let at = 0; at < size; at += 1, left >>= 8n) out[at] = Number(left & 255n);
    if (left !== 0n) throw new Error(`${value} has more than ${size} bytes`);
    return out;
}

export const u16 = (value) => number(value, 2);
export const u32 = (value) => number(value, 4);
export const u64 = (value) => number(value, 8);

export const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();

/** Byte i of a content of the vectors. */
export function pattern(size) {
    return Buffer.from(Array.from({ length: size }, (_, i) => (7 * i + (i >> 10) + (i >> 18)) & 255));
}

const leafOf = (data) => sha256(Buffer.from([0]), data);
const nodeOf = (left, right) => sha256(Buffer.from([1]), left, right);

/** All levels, leaves first. The last node of a level that has no sibling goes up as it is. */
export function treeOf(leaves) {
    const levels = [leaves.map(leafOf)];
    while (levels.at(-1).length > 1) {
        const below = levels.at(-1);
        const above = [];
        for (let at = 0; at < below.length; at += 2) {
            above.push(at + 1 < below.length ? nodeOf(below[at], below[at + 1]) : below[at]);
        }
        levels.push(above);
    }
    return levels;
}

/** The root that a node and its path lead to; null when the path has the wrong length. */
export function rootOver(index, count, node, path) {
    let [at, last, hash, used] = [index, count - 1, node, 0];
    if (index < 0 || index > last) return null;
    for (; last > 0; at >>= 1, last = Math.floor(last / 2)) {
        if (at === last && at % 2 === 0) continue;
        if (used === path.length) return null;
        const sibling = path[used];
        used += 1;
        hash = at % 2 === 1 ? nodeOf(sibling, hash) : nodeOf(hash, sibling);
    }
    return used === path.length ? hash : null;
}

export function signed(what, message, signature, key) {
    if (signature.length !== 128 || !wallet.verify(message, signature, key)) {
        throw new Error(`${what} ${signature} is not one of ${key}`);
    }
}
