// The published answers, through our own functions.

import assert from "node:assert/strict";
import { test } from "node:test";

import { encodeText } from "../../securechat/static/securechat/crypto/bytes.js";
import { safetyNumber } from "../../securechat/static/securechat/crypto/fingerprint.js";
import {
  exchange, gcmOpen, gcmSeal, generateExchangePair, hkdf, hmac,
} from "../../securechat/static/securechat/crypto/primitives.js";
import { importExchangeKey } from "./securechat-keys.js";
import { refused } from "./securechat-parties.js";

/** @param {string} text */
const hex = (text) => new Uint8Array(Buffer.from(text, "hex"));
/** @param {Uint8Array} bytes */
const toHex = (bytes) => Buffer.from(bytes).toString("hex");
/** Bytes that count up. @param {number} first @param {number} length */
const count = (first, length) => Uint8Array.from({ length }, (_, at) => first + at);

/** @param {Uint8Array} scalar @param {Uint8Array} point */
async function multiply(scalar, point) {
  return exchange((await importExchangeKey(scalar)).privateKey, point);
}

test("X25519: RFC 7748 §5.2, the first vector", async () => {
  const scalar = hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
  const point = hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
  const product = "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552";
  assert.equal(toHex(await multiply(scalar, point)), product);
});

test("X25519: RFC 7748 §5.2, the second vector, refused until its top bit is clear", async () => {
  const scalar = hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d");
  const point = hex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493");
  await assert.rejects(multiply(scalar, point), refused("invalid-key"));
  point[31] &= 0x7f;
  const product = "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957";
  assert.equal(toHex(await multiply(scalar, point)), product);
});

test("X25519: RFC 7748 §5.2, a thousand times over", async () => {
  let scalar = hex(`09${"00".repeat(31)}`);
  let point = scalar;
  for (let round = 1; round <= 1_000; round += 1) {
    [scalar, point] = [await multiply(scalar, point), scalar];
    const once = "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079";
    if (round === 1) assert.equal(toHex(scalar), once);
  }
  assert.equal(toHex(scalar), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
});

test("X25519: RFC 7748 §6.1", async () => {
  const [alice, bob] = await Promise.all([
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
    "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
  ].map((key) => importExchangeKey(hex(key))));
  assert.deepEqual([alice, bob].map(({ publicKey }) => toHex(publicKey)), [
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
  ]);
  const secret = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  assert.equal(toHex(await exchange(alice.privateKey, bob.publicKey)), secret);
  assert.equal(toHex(await exchange(bob.privateKey, alice.publicKey)), secret);
});

test("X25519: two pairs agree, and no private key can be read", async () => {
  const [one, other] = [await generateExchangePair(), await generateExchangePair()];
  assert.deepEqual(
    await exchange(one.privateKey, other.publicKey),
    await exchange(other.privateKey, one.publicKey),
  );
  assert.equal(one.privateKey.extractable, false);
  assert.equal(one.publicKey.length, 32);
});

const P = `ed${"ff".repeat(30)}7f`;
for (const [what, key] of [
  ["p", P],
  ["p + 1", `ee${P.slice(2)}`],
  ["2²⁵⁵ - 1", `ff${P.slice(2)}`],
  ["9 with the top bit", `09${"00".repeat(30)}80`],
  ["0", "00".repeat(32)],
  ["1", `01${"00".repeat(31)}`],
  ["p - 1", `ec${P.slice(2)}`],
  ["a point of order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
  ["another of order 8", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"],
  ["31 bytes", "09".repeat(31)],
  ["33 bytes", "09".repeat(33)],
]) {
  test(`X25519: it refuses ${what} as a public key`, async () => {
    const { privateKey } = await generateExchangePair();
    await assert.rejects(exchange(privateKey, hex(key)), refused("invalid-key"));
  });
}

test("X25519: it takes the largest canonical keys", async () => {
  const { privateKey } = await generateExchangePair();
  for (const first of ["eb", "00"]) {
    assert.equal((await exchange(privateKey, hex(`${first}${P.slice(2)}`))).length, 32);
  }
});

/** @type {[string, Uint8Array, Uint8Array, Uint8Array, string][]} */
const RFC_5869 = [
  ["A.1", hex("0b".repeat(22)), count(0, 13), count(0xf0, 10),
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"],
  ["A.2", count(0, 80), count(0x60, 80), count(0xb0, 80),
    "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09" +
    "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"],
  ["A.3", hex("0b".repeat(22)), hex(""), hex(""),
    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"],
];
for (const [name, ikm, salt, info, okm] of RFC_5869) {
  test(`HKDF: RFC 5869 ${name}`, async () => {
    assert.equal(toHex(await hkdf(salt, ikm, info, okm.length / 2)), okm);
  });
}

/** @type {[string, Uint8Array, Uint8Array, string][]} */
const RFC_4231 = [
  ["4.2", hex("0b".repeat(20)), encodeText("Hi There"),
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
  ["4.3", encodeText("Jefe"), encodeText("what do ya want for nothing?"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"],
  ["4.4", hex("aa".repeat(20)), hex("dd".repeat(50)),
    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
  ["4.5", count(1, 25), hex("cd".repeat(50)),
    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"],
  ["4.6, of which it gives 16 bytes", hex("0c".repeat(20)), encodeText("Test With Truncation"),
    "a3b6167473100ee06e0c796c2955552b"],
  ["4.7", hex("aa".repeat(131)), encodeText("Test Using Larger Than Block-Size Key - Hash Key First"),
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"],
  ["4.8", hex("aa".repeat(131)), encodeText(
    "This is a test using a larger than block-size key and a larger than block-size data. " +
    "The key needs to be hashed before being used by the HMAC algorithm."),
    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"],
];
for (const [name, key, data, mac] of RFC_4231) {
  test(`HMAC: RFC 4231 §${name}`, async () => {
    assert.equal(toHex(await hmac(key, data)).slice(0, mac.length), mac);
  });
}

test("AES-GCM: what is sealed opens, and nothing else does", async () => {
  const [key, iv, aad] = [count(0, 32), count(40, 12), encodeText("head")];
  const sealed = await gcmSeal(key, iv, encodeText("text"), aad);
  assert.equal(sealed.length, 4 + 16);
  assert.deepEqual(await gcmOpen(key, iv, sealed, aad), encodeText("text"));
  await assert.rejects(gcmOpen(key, iv, sealed, encodeText("hEad")), refused("unverified"));
  await assert.rejects(gcmOpen(key, count(41, 12), sealed, aad), refused("unverified"));
  await assert.rejects(gcmOpen(count(1, 32), iv, sealed, aad), refused("unverified"));
  sealed[19] ^= 1;
  await assert.rejects(gcmOpen(key, iv, sealed, aad), refused("unverified"));
});

test("the safety number is libsignal's, on both sides", async () => {
  const alice = {
    userId: "+14152222222",
    identity: hex("06863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868"),
  };
  const bob = {
    userId: "+14153333333",
    identity: hex("f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b"),
  };
  const digits = "300354477692869396892869876765458257569162576843440918079131";
  assert.equal(await safetyNumber(alice, bob), digits);
  assert.equal(await safetyNumber(bob, alice), digits);
  assert.notEqual(await safetyNumber({ ...alice, userId: 1 }, bob), digits);
});
