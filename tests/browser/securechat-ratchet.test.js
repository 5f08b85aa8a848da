import assert from "node:assert/strict";
import { test } from "node:test";

import { encodeText } from "../../securechat/static/securechat/crypto/bytes.js";
import { begin, open, seal } from "../../securechat/static/securechat/crypto/ratchet.js";
import { cipherKey, stepChain } from "../../securechat/static/securechat/crypto/schedule.js";
import { CONTEXT, End, makeParty, meet, refused } from "./securechat-parties.js";

/** @param {End} end @param {number} count */
async function sayMany(end, count) {
  const envelopes = [];
  for (let at = 0; at < count; at += 1) envelopes.push(await end.say(String(at)));
  return envelopes;
}

const inOrder = { missed: 0, isLate: false };
const late = { missed: 0, isLate: true };

for (const [first, second] of /** @type {["buyer" | "seller", "buyer" | "seller"][]} */ ([
  ["buyer", "seller"], ["seller", "buyer"],
])) {
  test(`a conversation that the ${first} begins`, async () => {
    const ends = await meet();
    for (const text of ["one", "two", "three"]) {
      for (const [from, to] of [[first, second], [second, first]]) {
        for (const part of ["a", "b"]) {
          const said = await ends[from].say(`${text} ${part}`);
          assert.deepEqual(await ends[to].hear(said), { text: `${text} ${part}`, ...inOrder });
        }
      }
    }
  });

  test(`both write before they have read, and the ${first} reads first`, async () => {
    const ends = await meet();
    const [fromFirst, fromSecond] = [await ends[first].say("one"), await ends[second].say("other")];
    assert.deepEqual(await ends[first].hear(fromSecond), { text: "other", ...inOrder });
    assert.deepEqual(await ends[second].hear(fromFirst), { text: "one", ...inOrder });
    assert.deepEqual(await ends[second].hear(await ends[first].say("two")), { text: "two", ...inOrder });
    assert.deepEqual(await ends[first].hear(await ends[second].say("three")), { text: "three", ...inOrder });
  });
}

test("all lengths of a message go through", async () => {
  const { buyer, seller } = await meet();
  for (const length of [0, 1, 255, 256, 5_000, 32_767]) {
    const text = "x".repeat(length);
    assert.equal((await seller.hear(await buyer.say(text))).text, text);
  }
  await assert.rejects(buyer.say("x".repeat(32_768)), RangeError);
});

test("a party's first chain ends with its first turn of receiving", async () => {
  const { buyer, seller } = await meet();
  assert.ok(buyer.state.isFirstChain && seller.state.isFirstChain);
  await buyer.hear(await seller.say("of the initial chain"));
  assert.ok(buyer.state.isFirstChain);
  await seller.hear(await buyer.say("a"));
  assert.ok(!seller.state.isFirstChain);
  await buyer.hear(await seller.say("b"));
  assert.ok(!buyer.state.isFirstChain);
});

test("what is missing is told once, and what comes late is known as that", async () => {
  const { buyer, seller } = await meet();
  const said = await sayMany(buyer, 4);
  assert.deepEqual(await seller.hear(said[2]), { text: "2", missed: 2, isLate: false });
  assert.deepEqual(await seller.hear(said[0]), { text: "0", ...late });
  await buyer.hear(await seller.say("reply"));
  const next = await sayMany(buyer, 2);
  assert.deepEqual(await seller.hear(next[1]), { text: "1", missed: 2, isLate: false });
  assert.deepEqual(await seller.hear(said[3]), { text: "3", ...late });
  assert.deepEqual(await seller.hear(next[0]), { text: "0", ...late });
  assert.deepEqual(await seller.hear(said[1]), { text: "1", ...late });
});

test("nothing opens twice", async () => {
  const { buyer, seller } = await meet();
  const initial = await sayMany(seller, 2);
  await buyer.hear(initial[1]);
  await buyer.hear(initial[0]);
  for (const again of initial) await assert.rejects(buyer.hear(again), refused("replayed"));
  const said = await sayMany(buyer, 2);
  await seller.hear(said[1]);
  await seller.hear(said[0]);
  for (const again of said) await assert.rejects(seller.hear(again), refused("replayed"));
  await buyer.hear(await seller.say("turn"));
  await seller.hear(await buyer.say("turn"));
  for (const again of said) await assert.rejects(seller.hear(again), refused("unverified"));
});

test("what a party has said itself is not taken back", async () => {
  const { buyer, seller } = await meet();
  await assert.rejects(buyer.hear(await buyer.say("a")), refused("reflected"));
  await assert.rejects(seller.hear(await seller.say("b")), refused("reflected"));
});

test("a message of another form is malformed", async () => {
  const { buyer, seller } = await meet();
  const said = await buyer.say("a");
  const initial = await seller.say("b");
  for (const [end, envelope] of /** @type {[End, Uint8Array][]} */ ([
    [seller, new Uint8Array(0)],
    [seller, said.slice(1)],
    [seller, said.slice(0, -256)],
    [seller, new Uint8Array(2331 + 16 + 384)],
    [seller, new Uint8Array(2331 + 16 + 65_536)],
    [seller, said.with(0, 2)],
    [seller, said.with(1, 0)],
    [seller, said.with(2, 1)],
    [seller, said.with(2, 2)],
    [buyer, initial.with(3, initial[3] ^ 1)],
    [buyer, initial.with(1218, initial[1218] ^ 1)],
  ])) {
    await assert.rejects(end.hear(envelope), refused("malformed"));
  }
  assert.equal((await seller.hear(said)).text, "a");
  assert.equal((await buyer.hear(initial)).text, "b");
});

test("an initial chain of another ciphertext is retired once there is one", async () => {
  const { buyer, seller } = await meet();
  const [first, second] = await sayMany(seller, 2);
  const forged = first.with(1300, first[1300] ^ 1);
  await assert.rejects(buyer.hear(forged), refused("unverified"));
  await buyer.hear(first);
  await assert.rejects(buyer.hear(forged), refused("retired"));
  assert.equal((await buyer.hear(second)).text, "1");
});

test("an initial chain of which nothing had come opens until the second turn", async () => {
  const { buyer, seller } = await meet();
  const initial = await sayMany(seller, 4);
  await seller.hear(await buyer.say("a"));
  assert.deepEqual(await buyer.hear(await seller.say("b")), { text: "b", missed: 4, isLate: false });
  assert.deepEqual(await buyer.hear(initial[2]), { text: "2", ...late });
  assert.deepEqual(await buyer.hear(initial[1]), { text: "1", ...late });
  await assert.rejects(buyer.hear(initial[2]), refused("replayed"));
  await seller.hear(await buyer.say("c"));
  assert.deepEqual(await buyer.hear(await seller.say("d")), { text: "d", ...inOrder });
  await assert.rejects(buyer.hear(initial[3]), refused("retired"));
  assert.deepEqual(await buyer.hear(initial[0]), { text: "0", ...late }, "its key was skipped");
  assert.equal(buyer.state.initial, null);
});

test("the initial chain carries no more than the seller has said", async () => {
  const { buyer, seller } = await meet();
  const before = new End(seller.state);
  const initial = await before.say("0");
  await before.say("1");
  await seller.hear(await buyer.say("a"));
  await buyer.hear(await seller.say("the turn: nothing came before"));
  await assert.rejects(buyer.hear(initial), refused("retired"));
});

test("the keys of its start are gone once the initial chain has come", async () => {
  const { buyer, seller } = await meet();
  assert.notEqual(buyer.state.initial?.start, null);
  await buyer.hear(await seller.say("a"));
  assert.equal(buyer.state.initial?.start, null);
});

test("a message skips 256 at most in a chain", async () => {
  const { buyer, seller } = await meet();
  const said = await sayMany(buyer, 258);
  await assert.rejects(seller.hear(said[257]), refused("too-far"));
  assert.deepEqual(await seller.hear(said[256]), { text: "256", missed: 256, isLate: false });
  assert.deepEqual(await seller.hear(said[257]), { text: "257", ...inOrder });
});

test("a turn skips 256 at most in the chain before it, and as many in its own", async () => {
  const { buyer, seller } = await meet();
  const [first, ...before] = await sayMany(buyer, 258);
  await seller.hear(first);
  await buyer.hear(await seller.say("turn"));
  const next = await sayMany(buyer, 258);
  await assert.rejects(seller.hear(next[256]), refused("too-far"));
  await seller.hear(before[0]);
  await assert.rejects(seller.hear(next[257]), refused("too-far"));
  assert.deepEqual(await seller.hear(next[256]), { text: "256", missed: 512, isLate: false });
  assert.equal(seller.state.skipped.length, 512);
  assert.deepEqual(await seller.hear(before[256]), { text: "257", ...late });
});

test("512 keys are kept, and the oldest forgotten", async () => {
  const { buyer, seller } = await meet();
  const said = await sayMany(buyer, 516);
  for (const at of [256, 513, 515]) await seller.hear(said[at]);
  assert.equal(seller.state.skipped.length, 512);
  await assert.rejects(seller.hear(said[0]), refused("replayed"));
  for (const at of [1, 255, 257, 512, 514]) {
    assert.deepEqual(await seller.hear(said[at]), { text: String(at), ...late });
  }
});

test("a message of another conversation never opens", async () => {
  const [buyer, seller] = [await makeParty("buyer"), await makeParty("seller")];
  const ends = async (/** @type {Partial<typeof CONTEXT>} */ more, peer = buyer) => [
    new End(await begin({ ...peer, peerBundle: seller.own.bundle, context: { ...CONTEXT, ...more } })),
    new End(await begin({ ...seller, peerBundle: peer.own.bundle, context: { ...CONTEXT, ...more } })),
  ];
  const [ourBuyer, ourSeller] = await ends({});
  for (const [otherBuyer, otherSeller] of [
    await ends({ epoch: 2 }),
    await ends({ sessionId: "1b9f6a52-7c1d-4e38-9a4f-2d6c8e1b3a70" }),
    await ends({ context: "other.example" }),
    await ends({}, { ...buyer, own: (await makeParty("buyer")).own }),
  ]) {
    await assert.rejects(ourSeller.hear(await otherBuyer.say("a")), refused("unverified"));
    await assert.rejects(ourBuyer.hear(await otherSeller.say("b")), refused("unverified"));
    assert.notDeepEqual(otherBuyer.state.confirm, ourBuyer.state.confirm);
  }
  assert.equal((await ourSeller.hear(await ourBuyer.say("c"))).text, "c");
});

test("a server that swaps a bundle for its own keys is in neither conversation", async () => {
  const [buyer, seller] = [await makeParty("buyer"), await makeParty("seller")];
  const server = await makeParty("seller");
  const ofBuyer = new End(await begin({ ...buyer, peerBundle: server.own.bundle, context: CONTEXT }));
  const ofSeller = new End(await begin({ ...seller, peerBundle: buyer.own.bundle, context: CONTEXT }));
  await assert.rejects(ofSeller.hear(await ofBuyer.say("a")), refused("unverified"));
  await assert.rejects(ofBuyer.hear(await ofSeller.say("b")), refused("malformed"));
});

test("no state is ever changed", async () => {
  const { buyer, seller } = await meet();
  const initial = await sayMany(seller, 2);
  const said = await sayMany(buyer, 3);
  for (const [end, envelopes] of /** @type {[End, Uint8Array[]][]} */ ([
    [buyer, [initial[1], initial[0]]],
    [seller, [said[2], said[0]]],
  ])) {
    for (const envelope of envelopes) {
      const { state } = end;
      const before = structuredClone(state);
      await assert.rejects(open(state, envelope.with(-1, envelope.at(-1) ^ 1)), refused("unverified"));
      await seal(state, encodeText("x"));
      await open(state, envelope);
      assert.deepEqual(state, before);
      await end.hear(envelope);
      assert.notDeepEqual(end.state, before);
    }
  }
});

test("a state that is set back never gives the same key and IV", async () => {
  const { buyer, seller } = await meet();
  const { state } = buyer;
  const envelopes = [];
  for (const text of ["a", "b"]) envelopes.push((await seal(state, encodeText(text))).envelope);
  const [one, other] = envelopes;
  assert.deepEqual(one.slice(0, 2315), other.slice(0, 2315), "the same place in the same chain");
  const { messageKey } = await stepChain(state.sending.key);
  const [ofOne, ofOther] = await Promise.all(
    envelopes.map((envelope) => cipherKey(messageKey, envelope.slice(2315, 2331), state.transcript)),
  );
  assert.notDeepEqual(ofOne.key, ofOther.key);
  assert.notDeepEqual(ofOne.iv, ofOther.iv);
  assert.equal((await seller.hear(one)).text, "a");
  await assert.rejects(seller.hear(other), refused("replayed"));
});

test("keys that are stored share no memory with others", async () => {
  const { buyer, seller } = await meet();
  await seller.hear(await buyer.say("a"));
  await buyer.hear(await seller.say("b"));
  for (const { state } of [buyer, seller]) {
    const keys = [state.rootKey, state.sending.key, state.receiving?.key];
    for (const key of keys) assert.equal(key?.buffer.byteLength, 32);
  }
});
