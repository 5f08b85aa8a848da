import assert from "node:assert/strict";
import { test } from "node:test";

import { BUNDLE_LENGTH, makeBundle, readBundle } from "../../securechat/static/securechat/crypto/bundle.js";
import { begin } from "../../securechat/static/securechat/crypto/ratchet.js";
import { transcriptHash } from "../../securechat/static/securechat/crypto/schedule.js";
import { CONTEXT, makeParty, meet, refused } from "./securechat-parties.js";

test("a bundle has the public keys in their places", async () => {
  const { identity, own: { bundle, exchange, kem } } = await makeParty("buyer");
  assert.equal(bundle.length, BUNDLE_LENGTH);
  assert.deepEqual(bundle.subarray(0, 2), Uint8Array.of(0x01, 0x42));
  assert.deepEqual(bundle.slice(2, 34), identity.publicKey);
  assert.deepEqual(bundle.slice(34, 66), exchange.publicKey);
  assert.deepEqual(bundle.slice(66), kem.publicKey);
  assert.deepEqual(readBundle(bundle, "buyer"), {
    identity: identity.publicKey, exchange: exchange.publicKey, kem: kem.publicKey,
  });
});

test("each epoch has new keys, of the same identity", async () => {
  const { identity, own } = await makeParty("seller");
  const next = await makeBundle({ role: "seller", identity });
  const [before, after] = [own.bundle, next.bundle].map((bundle) => readBundle(bundle, "seller"));
  assert.deepEqual(after.identity, before.identity);
  assert.notDeepEqual(after.exchange, before.exchange);
  assert.notDeepEqual(after.kem, before.kem);
});

test("it refuses another length, version or role", async () => {
  const { bundle } = (await makeParty("seller")).own;
  const changed = (/** @type {number} */ at, /** @type {number} */ byte) => bundle.with(at, byte);
  for (const [other, role] of /** @type {[Uint8Array, "buyer" | "seller"][]} */ ([
    [bundle, "buyer"], [bundle.slice(1), "seller"], [new Uint8Array(0), "seller"],
    [changed(0, 2), "seller"], [changed(1, 0), "seller"],
  ])) {
    assert.throws(() => readBundle(other, role), refused("malformed"));
  }
});

test("nothing begins with keys that no honest peer has", async () => {
  const [buyer, seller] = [await makeParty("buyer"), await makeParty("seller")];
  const start = (/** @type {Uint8Array} */ bundle) => Promise.all([
    begin({ ...buyer, peerBundle: bundle.with(1, 0x53), context: CONTEXT }),
    begin({ ...seller, peerBundle: bundle.with(1, 0x42), context: CONTEXT }),
  ]);
  for (const at of [2, 34]) {
    const lowOrder = seller.own.bundle.slice();
    lowOrder.fill(0, at, at + 32);
    await assert.rejects(start(lowOrder), refused("invalid-key"));
  }
  const aboveModulus = seller.own.bundle.slice();
  aboveModulus.fill(0xff, 66, 69);
  await assert.rejects(start(aboveModulus), refused("invalid-key"));
});

test("both have the same keys at first, and show it", async () => {
  const { buyer, seller } = await meet();
  assert.deepEqual(buyer.state.transcript, seller.state.transcript);
  assert.deepEqual(buyer.state.confirm, seller.state.peerConfirm);
  assert.deepEqual(seller.state.confirm, buyer.state.peerConfirm);
  assert.notDeepEqual(buyer.state.confirm, seller.state.confirm);
});

test("the transcript depends on all that it is of", async () => {
  const [one, other] = [Uint8Array.of(1), Uint8Array.of(2)];
  const hashes = await Promise.all([
    transcriptHash(CONTEXT, one, other),
    transcriptHash(CONTEXT, other, one),
    transcriptHash({ ...CONTEXT, context: "other.example" }, one, other),
    transcriptHash({ ...CONTEXT, sessionId: "0b9f6a52-7c1d-4e38-9a4f-2d6c8e1b3a71" }, one, other),
    transcriptHash({ ...CONTEXT, productId: "71", buyerId: "2" }, one, other),
    transcriptHash({ ...CONTEXT, sellerId: "4" }, one, other),
    transcriptHash({ ...CONTEXT, epoch: 2 }, one, other),
  ]);
  assert.equal(new Set(hashes.map((hash) => hash.join())).size, hashes.length);
  const asNumbers = { ...CONTEXT, productId: 7, buyerId: 12, sellerId: 3 };
  assert.deepEqual(await transcriptHash(asNumbers, one, other), hashes[0]);
});
