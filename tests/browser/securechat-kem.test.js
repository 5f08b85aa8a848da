// ML-KEM-768: the browser's where it has one, and noble's.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { decapsulate, encapsulate, generateKemPair } from "../../securechat/static/securechat/crypto/kem.js";
import { ml_kem768 as noble } from "../../marketplace/static/vendor/noble/post-quantum/ml-kem.js";
import { refused } from "./securechat-parties.js";

/** What a browser's own key has inside. @type {WeakMap<object, Uint8Array>} */
const inside = new WeakMap();
const makeKey = (/** @type {Uint8Array} */ bytes) => {
  const key = { type: "a stand-in for a CryptoKey" };
  inside.set(key, bytes);
  return key;
};

/** A browser that has it, by noble, with the names and forms of the WICG draft. */
const NATIVE = {
  /** @param {[string, boolean, string[]]} asked */
  async generateKey(...asked) {
    assert.deepEqual(asked, ["ML-KEM-768", false, ["encapsulateBits", "decapsulateBits"]]);
    const { publicKey, secretKey } = noble.keygen();
    return { publicKey: makeKey(publicKey), privateKey: makeKey(secretKey) };
  },
  async exportKey(/** @type {string} */ format, /** @type {object} */ key) {
    assert.equal(format, "raw-public");
    return inside.get(key).slice().buffer;
  },
  async importKey(/** @type {string} */ format, /** @type {Uint8Array} */ bytes, /** @type {string} */ name) {
    assert.deepEqual([format, name], ["raw-public", "ML-KEM-768"]);
    try {
      noble.encapsulate(bytes);
    } catch {
      throw new DOMException("", "DataError");
    }
    return makeKey(bytes);
  },
  async encapsulateBits(/** @type {string} */ name, /** @type {object} */ key) {
    assert.equal(name, "ML-KEM-768");
    const { cipherText, sharedSecret } = noble.encapsulate(inside.get(key));
    return { ciphertext: cipherText.slice().buffer, sharedKey: sharedSecret.slice().buffer };
  },
  /** @param {string} name @param {object} key @param {Uint8Array} ciphertext */
  async decapsulateBits(name, key, ciphertext) {
    assert.equal(name, "ML-KEM-768");
    return noble.decapsulate(ciphertext, inside.get(key)).slice().buffer;
  },
};

const { prototype } = SubtleCrypto;
const ours = Object.getOwnPropertyDescriptors(prototype);

function becomeNative() {
  for (const [name, value] of Object.entries(NATIVE)) {
    Object.defineProperty(prototype, name, { configurable: true, writable: true, value });
  }
}

function becomeOld() {
  for (const name of Object.keys(NATIVE)) {
    if (name in ours) Object.defineProperty(prototype, name, ours[name]);
    else delete prototype[name];
  }
}

afterEach(becomeOld);

/** @param {Awaited<ReturnType<typeof generateKemPair>>} pair */
async function check({ publicKey, privateKey }) {
  assert.equal(publicKey.length, 1184);
  const { ciphertext, secret } = await encapsulate(publicKey);
  assert.deepEqual([ciphertext.length, secret.length], [1088, 32]);
  assert.deepEqual(await decapsulate(privateKey, ciphertext), secret);
}

test("by noble, with a private key that is a seed", async () => {
  const pair = await generateKemPair();
  await check(pair);
  assert.deepEqual(Object.keys(pair.privateKey), ["seed"]);
  await check({ ...pair, privateKey: structuredClone(pair.privateKey) });
});

test("by the browser", async () => {
  becomeNative();
  const pair = await generateKemPair();
  assert.ok(!("seed" in pair.privateKey));
  await check(pair);
});

test("a seed of noble's still works once the browser has its own", async () => {
  const pair = await generateKemPair();
  becomeNative();
  await check(pair);
});

test("a ciphertext for another key gives another secret", async () => {
  const [one, other] = [await generateKemPair(), await generateKemPair()];
  const { ciphertext, secret } = await encapsulate(one.publicKey);
  assert.notDeepEqual(await decapsulate(other.privateKey, ciphertext), secret);
});

for (const [name, become] of /** @type {[string, () => void][]} */ ([
  ["noble", becomeOld], ["the browser", becomeNative],
])) {
  test(`${name} refuses an encapsulation key that is none`, async () => {
    become();
    const { publicKey } = await generateKemPair();
    const above = publicKey.slice();
    // 3329 itself, the smallest that is not reduced (FIPS 203 §7.2).
    above.set([0x01, (above[1] & 0xf0) | 0x0d]);
    for (const key of [above, publicKey.slice(1), new Uint8Array(0)]) {
      await assert.rejects(encapsulate(key), refused("invalid-key"));
    }
  });
}
