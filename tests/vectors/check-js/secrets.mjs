// Content encryption, sealed secrets (RFC 9180), group headers: by node's own cryptography, signatures by neon-js.

import { createCipheriv, createDecipheriv, createECDH, createHmac } from "node:crypto";
import { wallet } from "@cityofzion/neon-js";
import { bytes, equal, hex, sha256, signed, u32, u64 } from "./common.mjs";

/** AES-256-CTR from a byte of the content on: the counter is the number of the cipher block, big endian. */
export function encryption(file) {
    const key = sha256(Buffer.from("phantasma content cipher 1"), bytes(file.content_key));
    equal("AES key", hex(key), file.aes_key);
    for (const part of file.parts) {
        const offset = BigInt(part.offset);
        const counter = bytes((offset / 16n).toString(16).padStart(32, "0"));
        const cipher = createCipheriv("aes-256-ctr", key, counter);
        cipher.update(Buffer.alloc(Number(offset % 16n)));
        equal("ciphertext", hex(cipher.update(bytes(part.plaintext))), part.ciphertext);
    }
}

const hmac = (key, ...parts) => createHmac("sha256", key).update(Buffer.concat(parts)).digest();

/** HKDF-Extract and -Expand with the labels of RFC 9180. */
function labelled(suite) {
    const head = Buffer.concat([Buffer.from("HPKE-v1"), suite]);
    const extract = (salt, label, input) =>
        hmac(salt.length === 0 ? Buffer.alloc(32) : salt, head, Buffer.from(label), input);
    const expand = (secret, label, info, length) =>
        hmac(secret, Buffer.from([0, length]), head, Buffer.from(label), info, Buffer.from([1])).subarray(0, length);
    return { extract, expand };
}

/** What was sealed in base mode: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. */
function open(reader, encapsulated, info, sealed) {
    const ecdh = createECDH("prime256v1");
    ecdh.setPrivateKey(reader);
    const dh = ecdh.computeSecret(encapsulated);
    const kem = labelled(Buffer.from("4b454d0010", "hex"));
    const context = Buffer.concat([encapsulated, ecdh.getPublicKey()]);
    const shared = kem.expand(kem.extract(Buffer.alloc(0), "eae_prk", dh), "shared_secret", context, 32);
    const suite = labelled(Buffer.from("48504b45001000010003", "hex"));
    const none = Buffer.alloc(0);
    const schedule = Buffer.concat([
        Buffer.from([0]), suite.extract(none, "psk_id_hash", none), suite.extract(none, "info_hash", info),
    ]);
    const secret = suite.extract(shared, "secret", none);
    const key = suite.expand(secret, "key", schedule, 32);
    const nonce = suite.expand(secret, "base_nonce", schedule, 12);
    const cipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
    cipher.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
}

export function sealed(file) {
    file.secrets.forEach((one, at) => {
        equal("reader", wallet.getPublicKeyFromPrivateKey(one.reader_private_key), one.reader);
        const info = Buffer.concat([Buffer.from("PHS1"), Buffer.from([at + 1]), bytes(one.sender), bytes(one.reader)]);
        equal("info", hex(info), one.info);
        const ciphertext = bytes(one.ciphertext);
        const body = Buffer.concat([info, bytes(one.encapsulated), u32(ciphertext.length), ciphertext]);
        equal("signed bytes", hex(body), one.signed_bytes);
        signed("signature", one.signed_bytes, one.signature, one.sender);
        equal("encoded", one.signed_bytes + one.signature, one.encoded);
        const secret = open(bytes(one.reader_private_key), bytes(one.encapsulated), info, ciphertext);
        equal("secret", hex(secret), one.secret);
    });
}

const text = (end) => Buffer.from(`phantasma group 1 ${end}`);
const depth = (node) => 31 - Math.clz32(node);

/** The label of (top, node), from the keys of the whole group. */
function labelOf(keys, top, node) {
    let label = hmac(keys, text("top"), u32(top));
    for (let level = depth(node) - depth(top) - 1; level >= 0; level -= 1) {
        label = hmac(label, text((node >> level) & 1 ? "right" : "left"));
    }
    return label;
}

function memberOf(file, place) {
    const keys = bytes(file.group_keys);
    const leaf = (1 << file.height) + place;
    const parts = [
        Buffer.from("PHK1"), bytes(file.owner), bytes(file.group), u32(file.epoch), Buffer.from([file.height]),
        u32(place), hmac(keys, text("everyone")),
    ];
    for (let top = 0; top < file.height; top += 1) {
        for (let below = top + 1; below <= file.height; below += 1) {
            parts.push(labelOf(keys, leaf >> (file.height - top), (leaf >> (file.height - below)) ^ 1));
        }
    }
    return hex(Buffer.concat(parts));
}

/** AES-256 key wrap (RFC 3394). */
function unwrap(key, wrapped) {
    const cipher = createDecipheriv("id-aes256-wrap", key, Buffer.alloc(8, 0xa6));
    return Buffer.concat([cipher.update(wrapped), cipher.final()]);
}

/** The places that an entry is for. */
function placesOf(file, entry) {
    const below = (node, top) => depth(node) >= depth(top) && node >> (depth(node) - depth(top)) === top;
    const all = Array.from({ length: 1 << file.height }, (_, place) => place);
    if (entry.excluded === 1 && entry.up === 0) return all;
    return all.filter((place) => {
        const leaf = (1 << file.height) + place;
        return below(leaf, entry.excluded >> entry.up) && !below(leaf, entry.excluded);
    });
}

function header(file, one) {
    const context = Buffer.concat([
        Buffer.from("PHG1"), bytes(file.owner), bytes(file.group), u32(file.epoch), Buffer.from([file.height]),
        bytes(one.content), bytes(one.salt),
    ]);
    equal("context", hex(context), one.context);
    const keys = bytes(file.group_keys);
    const entries = [];
    const covered = [];
    for (const entry of one.entries) {
        const [j, up] = [u32(entry.excluded), Buffer.from([entry.up])];
        entries.push(j, up, bytes(entry.wrapped));
        covered.push(...placesOf(file, entry));
        const subset = entry.up === 0
            ? hmac(keys, text("everyone"))
            : hmac(labelOf(keys, entry.excluded >> entry.up, entry.excluded), text("key"));
        const wrap = hmac(subset, text("wrap"), sha256(context), j, up);
        equal("content's key", hex(unwrap(wrap, bytes(entry.wrapped))), one.content_key);
    }
    const rest = Array.from({ length: 1 << file.height }, (_, place) => place)
        .filter((place) => !one.revoked.includes(place));
    equal("places", rest.join(), covered.sort((a, b) => a - b).join());
    equal("revoked", rest.length + one.revoked.length, 1 << file.height);
    const body = Buffer.concat([context, u32(one.entries.length), ...entries]);
    equal("signed bytes", hex(body), one.signed_bytes);
    equal("encoded", one.encoded.slice(0, -128), one.signed_bytes);
    signed("signature", one.signed_bytes, one.encoded.slice(-128), file.owner);
}

export function groups(file) {
    const id = sha256(text("box"), bytes(file.contract), u64(file.box));
    equal("group", hex(id), file.group);
    for (const member of file.members) equal("member's keys", memberOf(file, member.place), member.encoded);
    for (const one of file.headers) header(file, one);
}
