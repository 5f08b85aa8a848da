import assert from "node:assert/strict";
import test from "node:test";

import { SseParser } from "../../realtime/static/realtime/sse-parser.js";

const STREAM =
  "retry: 3000\n\nid: 7\nevent: order-created\ndata: {\"a\":1}\n\n: a comment\n\nevent: subscribed\ndata: one\ndata: two\n\n";
const FRAMES = [
  { id: "7", event: "order-created", data: '{"a":1}' },
  { id: null, event: "subscribed", data: "one\ntwo" },
];

const parse = (/** @type {string[]} */ ...pieces) => {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.feed(piece));
};

test("it gives frames with their id, name and data", () => {
  assert.deepEqual(parse(STREAM), FRAMES);
});

test("it gives the same frames wherever the stream is cut", () => {
  for (let at = 0; at <= STREAM.length; at += 1) {
    assert.deepEqual(parse(STREAM.slice(0, at), STREAM.slice(at)), FRAMES);
  }
  assert.deepEqual(parse(...STREAM), FRAMES);
});

test("it takes CR and CRLF for line ends, cut in the middle too", () => {
  assert.deepEqual(parse(...STREAM.replaceAll("\n", "\r\n")), FRAMES);
  assert.deepEqual(parse(...STREAM.replaceAll("\n", "\r"), "\n"), FRAMES);
});

test("it strips one blank behind the colon and the byte order mark at the start", () => {
  assert.deepEqual(parse("\uFEFFdata:  x\n\n"), [{ id: null, event: "message", data: " x" }]);
});

test("it gives nothing for a frame that is not finished or has no data", () => {
  assert.deepEqual(parse("event: x\n\n", "data: y\n"), []);
});

test("it takes no id with a NUL", () => {
  assert.deepEqual(parse("id: 1\0\ndata: x\n\n"), [{ id: null, event: "message", data: "x" }]);
});
