import assert from "node:assert/strict";
import { test } from "node:test";

import {
  concat, decodeBase64url, decodeText, encodeBase64url, encodeNumber, encodeText, isEqual, lengthPrefixed,
} from "../../securechat/static/securechat/crypto/bytes.js";
import { pad, unpad } from "../../securechat/static/securechat/crypto/message.js";
import { refused } from "./securechat-parties.js";

test("bytes stand one after the other, in memory of their own", () => {
  const part = Uint8Array.of(1, 2);
  const whole = concat(part, new Uint8Array(0), Uint8Array.of(3));
  part[0] = 9;
  assert.deepEqual(whole, Uint8Array.of(1, 2, 3));
  assert.deepEqual(concat(), new Uint8Array(0));
});

test("bytes are equal when all of them are", () => {
  assert.ok(isEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
  assert.ok(!isEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
  assert.ok(!isEqual(Uint8Array.of(1, 2), Uint8Array.of(1)));
  assert.ok(!isEqual(Uint8Array.of(1), Uint8Array.of(1, 0)));
});

test("numbers are 4 bytes, the highest first", () => {
  assert.deepEqual(encodeNumber(0x01020304), Uint8Array.of(1, 2, 3, 4));
  assert.deepEqual(encodeNumber(2 ** 32 - 1), Uint8Array.of(255, 255, 255, 255));
  for (const number of [-1, 2 ** 32, 1.5, NaN]) assert.throws(() => encodeNumber(number), RangeError);
  assert.deepEqual(lengthPrefixed(encodeText("é")), Uint8Array.of(0, 0, 0, 2, 0xc3, 0xa9));
});

test("texts come back as they were", () => {
  for (const text of ["", "Grüße 🥣", "\uFEFFmarked", "a\0b"]) {
    assert.equal(decodeText(encodeText(text)), text);
  }
});

test("what is not UTF-8 is refused", () => {
  for (const bytes of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80]]) {
    assert.throws(() => decodeText(Uint8Array.from(bytes)), refused("malformed"));
  }
});

test("base64url comes back as it was", () => {
  for (let length = 0; length < 40; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 89 + 251) % 256);
    const text = encodeBase64url(bytes);
    assert.equal(text, Buffer.from(bytes).toString("base64url"));
    assert.deepEqual(decodeBase64url(text), bytes);
  }
});

for (const text of ["A", "AAAAA", "AA==", "AB", "AAB", "+A", "/A", "AA\n", " AA", "AA AA", "Ä"]) {
  test(`base64url is never ${JSON.stringify(text)}`, () => {
    assert.throws(() => decodeBase64url(text), refused("malformed"));
  });
}

for (const [length, padded] of [
  [0, 256], [255, 256], [256, 512], [511, 512], [512, 1024], [32_767, 32_768],
]) {
  test(`a plaintext of ${length} bytes is padded to ${padded}`, () => {
    const plaintext = new Uint8Array(length).fill(0x80);
    assert.equal(pad(plaintext).length, padded);
    assert.deepEqual(unpad(pad(plaintext)), plaintext);
  });
}

test("a plaintext that ends in what padding looks like comes back", () => {
  for (const plaintext of [Uint8Array.of(0x80), Uint8Array.of(0x80, 0, 0), new Uint8Array(30)]) {
    assert.deepEqual(unpad(pad(plaintext)), plaintext);
  }
});

test("a plaintext that is too long is not padded", () => {
  assert.throws(() => pad(new Uint8Array(32_768)), RangeError);
});

test("no other padding is taken off", () => {
  const none = new Uint8Array(256);
  const wrong = new Uint8Array(256).fill(1);
  const unneeded = new Uint8Array(512);
  unneeded[3] = 0x80;
  for (const padded of [none, wrong, unneeded]) assert.throws(() => unpad(padded), refused("unverified"));
});
