// Checks test vectors with neon-js (keys, addresses, signatures, NeoVM's instructions) and node's own cryptography.
// It shares no code with the programs that made them: everything here follows from docs/protocol.md and docs/sub-vm.md.
//
//   node check.mjs FILE...
//
// Says `ok` or `FAIL` for each file and ends with 1 when one failed.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { sc, wallet } from "@cityofzion/neon-js";
import * as secrets from "./secrets.mjs";
import { scripts } from "./scripts.mjs";
import { bytes, equal, hex, pattern, rootOver, signed, treeOf, u16, u32, u64 } from "./common.mjs";

function accounts(file) {
    for (const one of file.accounts) {
        const account = new wallet.Account(one.private_key);
        equal("public key", account.publicKey, one.public_key);
        equal("WIF", account.WIF, one.wif);
        equal("WIF's key", wallet.getPrivateKeyFromWIF(one.wif), one.private_key);
        equal("address", account.address, one.address);
        // neon-js writes script hashes in display order.
        equal("script hash", bytes(account.scriptHash).reverse().toString("hex"), one.script_hash);
        const script = wallet.getVerificationScriptFromPublicKey(one.public_key);
        equal("verification script", script, one.verification_script);
        signed("signature", one.message, one.signature, one.public_key);
    }
}

function merkle(file) {
    for (const content of file.contents) {
        const data = pattern(content.size);
        const chunks = [];
        for (let at = 0; at < data.length; at += 1024) chunks.push(data.subarray(at, at + 1024));
        const levels = treeOf(chunks);
        equal("root", hex(levels.at(-1)[0]), content.root);
        equal("number of blocks", Math.ceil(content.size / 262144), content.blocks.length);
        content.blocks.forEach((block, at) => {
            equal("index", at, block.index);
            const inside = treeOf(chunks.slice(at * 256, at * 256 + 256));
            const id = inside.at(-1)[0];
            equal("block's id", hex(id), block.id);
            const root = rootOver(at, content.blocks.length, id, block.path.map(bytes));
            equal("root from a block", hex(root), content.root);
        });
        for (const chunk of content.chunks) {
            const leaf = levels[0][chunk.index];
            equal("chunk's hash", hex(leaf), chunk.hash);
            const root = rootOver(chunk.index, chunks.length, leaf, chunk.path.map(bytes));
            equal("root from a chunk", hex(root), content.root);
        }
    }
    const roots = new Map(file.contents.map((content) => [content.size, content]));
    for (const one of file.refused) {
        const content = roots.get(one.size);
        equal("root", content.root, one.root);
        equal("block's id", content.blocks[one.index].id, one.id);
        const count = Math.ceil(one.size / 262144);
        const root = rootOver(one.index, count, bytes(one.id), one.path.map(bytes));
        if (root !== null && hex(root) === one.root) throw new Error(`${one.why}: it holds`);
        // Each is a real path with one thing wrong.
        const real = content.blocks.map((block) => block.path.join());
        const near = [...one.path.slice(0, -1)].join();
        const known = real.includes(one.path.join()) || real.includes(near) ||
            real.some((path) => path.startsWith(`${one.path.join()},`));
        if (!known || (near === real[one.index] && !/^0{64}$/.test(one.path.at(-1)))) {
            throw new Error(`${one.why}: not what it says`);
        }
    }
}

function message(one, place) {
    const body = Buffer.concat([
        Buffer.from("PHM1"), u32(one.network), bytes(one.contract), bytes(one.author), u64(one.box),
        u64(one.sequence), u64(one.time_ms), Buffer.from([one.class]), bytes(one.payload),
    ]);
    equal("signed bytes", hex(body), one.signed_bytes);
    if (![0, 1, 2].includes(one.class)) throw new Error(`class ${one.class}`);
    const id = createHash("sha256").update(body).digest();
    equal("id", hex(id), one.id);
    const inner = Buffer.concat([bytes(one.signature), place, body]);
    equal("encoded", hex(Buffer.concat([u32(inner.length), inner])), one.encoded);
    return { id, body };
}

function messages(file) {
    for (const one of file.messages) {
        message(one, Buffer.alloc(0));
        signed("signature", one.signed_bytes, one.signature, one.author);
    }
    const batch = file.batch;
    equal("number", batch.messages.length, batch.count);
    const levels = treeOf(batch.messages.map((one) => bytes(one.id)));
    equal("root", hex(levels.at(-1)[0]), batch.root);
    const claim = Buffer.concat([Buffer.from("PHB1"), u16(batch.count), bytes(batch.root)]);
    equal("signed bytes of the batch", hex(claim), batch.signed_bytes);
    const bodies = [];
    batch.messages.forEach((one, at) => {
        equal("index", at, one.index);
        equal("count", batch.count, one.count);
        equal("signature", batch.signature, one.signature);
        const path = [];
        for (let level = 0; level + 1 < levels.length; level += 1) {
            const sibling = levels[level][(at >> level) ^ 1];
            if (sibling !== undefined) path.push(sibling);
        }
        const place = Buffer.concat([Buffer.from("PHB1"), u16(at), u16(batch.count), ...path]);
        const { body } = message(one, place);
        bodies.push(u32(body.length), body);
        signed("signature of the batch", batch.signed_bytes, batch.signature, one.author);
    });
    const whole = Buffer.concat([bytes(batch.signature), u16(batch.count), ...bodies]);
    equal("encoded batch", hex(whole), batch.encoded);
}

function anchors(file) {
    for (const one of file.anchors) {
        equal("number of ids", one.ids.length, one.count);
        const ids = one.ids.map(bytes);
        equal("root", hex(treeOf(ids).at(-1)[0]), one.root);
        const anchor = Buffer.concat([
            Buffer.from("PHA1"), u64(one.first), u32(one.count), bytes(one.root),
        ]);
        equal("bytes", hex(anchor), one.bytes);
        const levels = treeOf(ids);
        one.paths.forEach((path, at) => {
            equal("position", String(BigInt(one.first) + BigInt(at)), path.position);
            const root = rootOver(at, one.count, levels[0][at], path.path.map(bytes));
            equal("root from a path", hex(root), one.root);
        });
    }
}

const kinds = { accounts, scripts: (file) => scripts(file, sc), merkle, messages, anchors, ...secrets };
let failed = process.argv.length < 3;
for (const name of process.argv.slice(2)) {
    try {
        const file = JSON.parse(readFileSync(name, "utf8"));
        const check = kinds[file.kind];
        if (check === undefined) throw new Error(`unknown kind ${file.kind}`);
        check(file);
        console.log(`ok ${name}`);
    } catch (error) {
        failed = true;
        console.log(`FAIL ${name}: ${error.message.split("\n")[0].slice(0, 300)}`);
    }
}
process.exitCode = failed ? 1 : 0;
