import assert from "node:assert/strict";
import { test } from "node:test";

import { confirms, decodeContent, encodeContent, fits, withConfirmation } from "../../securechat/static/securechat/content.js";
import { encodeText } from "../../securechat/static/securechat/crypto/bytes.js";

const ID = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
const refused = { reason: "unverified" };
const said = (/** @type {unknown} */ value) => encodeText(typeof value === "string" ? value : JSON.stringify(value));

test("it reads what it wrote", () => {
  const content = { kind: "text", id: ID, text: "Bonjour, ça va ? 🫖" };
  assert.deepEqual(decodeContent(encodeContent(content), ID), content);
  const receipt = { kind: "receipt", id: ID, delivered: ["a"], read: [] };
  assert.deepEqual(decodeContent(encodeContent(receipt), ID), receipt);
});

test("it keeps nothing but the fields of a kind", () => {
  const deep = "[".repeat(5_000) + "]".repeat(5_000);
  const text = `{"kind":"text","id":"${ID}","text":"x","place":9,"mark":"read","deep":${deep}}`;
  assert.deepEqual(decodeContent(said(text), ID), { kind: "text", id: ID, text: "x" });
  assert.deepEqual(decodeContent(said({ kind: "poll", id: ID, text: "x" }), ID), { kind: "unknown", id: ID });
  assert.deepEqual(decodeContent(said({ kind: "toString", id: ID }), ID), { kind: "unknown", id: ID });
});

for (const [name, value] of Object.entries({
  "another id": { kind: "text", id: "another", text: "x" },
  "no id": { kind: "text", text: "x" },
  "no kind": { id: ID, text: "x" },
  "a text that is none": { kind: "text", id: ID, text: { toString: "x" } },
  "no text": { kind: "text", id: ID },
  "a file without a key": { kind: "file", id: ID, name: "a", mime: "b", size: 1, attachmentId: "c", digest: "d" },
  "a size that is no number": { kind: "file", id: ID, name: "a", mime: "b", size: "1", attachmentId: "c", digest: "d", key: "e" },
  "a receipt of numbers": { kind: "receipt", id: ID, delivered: [1], read: [] },
  "an endless receipt": { kind: "receipt", id: ID, delivered: Array(201).fill("a"), read: [] },
  "null": "null",
  "a list": "[]",
  "no JSON": "{",
  "nothing": "",
  "too deep for JSON": "[".repeat(200_000),
})) {
  test(`it refuses ${name}`, () => {
    assert.throws(() => decodeContent(said(value), ID), refused);
  });
}

test("it refuses bytes that are no text", () => {
  assert.throws(() => decodeContent(new Uint8Array([0x22, 0xff, 0x22]), ID), refused);
});

test("it knows what fits, as it stands in JSON", () => {
  assert.ok(fits({ kind: "text", text: "x".repeat(32_000) }));
  assert.ok(!fits({ kind: "text", text: "x".repeat(32_767) }));
  assert.ok(!fits({ kind: "text", text: "\n".repeat(17_000) }), "each is two characters there");
  assert.ok(!fits({ kind: "text", text: "é".repeat(17_000) }));
});

test("it sees whether a message confirms the keys", () => {
  const confirm = new Uint8Array(32).fill(7);
  const content = withConfirmation({ kind: "text", id: ID, text: "x" }, confirm);
  assert.equal(confirms(content, confirm), true);
  assert.equal(confirms(content, new Uint8Array(32)), false);
  assert.equal(confirms({ ...content, confirm: "not base64url!" }, confirm), false);
  assert.equal(confirms({ kind: "text", id: ID }, confirm), null);
});
