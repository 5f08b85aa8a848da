import assert from "node:assert/strict";
import test from "node:test";

import { Desk, KEPT_EVENTS } from "../../realtime/static/realtime/desk.js";

const at = (/** @type {number | null} */ cursor, /** @type {string[]} */ ...channels) => ({
  channels,
  cursor,
});
const hello = (/** @type {string} */ from, /** @type {ReturnType<typeof at>} */ position) => ({
  from,
  number: 1,
  position,
});
const event = (/** @type {number} */ id, type = "order-created") => ({ id, type, data: {} });

const reset = (/** @type {number} */ id, reason = "cursor-too-old") => ({
  id,
  type: "reset",
  data: { reason },
});

/** A desk whose stream came from 10 to 15. */
function deskAt15() {
  const desk = new Desk();
  desk.join(hello("one", at(10, "catalogue")));
  desk.open();
  desk.add(event(10, "connected"));
  for (const id of [12, 13, 15]) desk.add(event(id));
  return desk;
}

test("it asks for all channels from the lowest cursor on", () => {
  const desk = new Desk();
  desk.join(hello("one", at(12, "product.7", "catalogue")));
  desk.join(hello("two", at(9, "catalogue")));
  desk.join(hello("three", at(null)));
  assert.deepEqual(desk.open(), at(9, "catalogue", "product.7"));
});

test("it serves a tab that joins from what it kept", () => {
  const desk = deskAt15();
  assert.deepEqual(desk.join(hello("two", at(12, "catalogue"))), [event(13), event(15)]);
  assert.deepEqual(desk.join(hello("two", at(15))), []);
  assert.deepEqual(desk.join(hello("two", at(10))), [event(12), event(13), event(15)]);
});

test("it serves a tab that is ahead with nothing", () => {
  assert.deepEqual(deskAt15().join(hello("two", at(99))), []);
});

test("it needs a new stream for what is older than what it kept", () => {
  const desk = deskAt15();
  assert.equal(desk.join(hello("two", at(8))), null);
  assert.deepEqual(desk.open(), at(8, "catalogue"));
});

test("it needs a new stream, from the new tab's cursor, for a channel nobody had", () => {
  const desk = deskAt15();
  assert.equal(desk.join(hello("two", at(13, "product.7"))), null);
  assert.deepEqual(desk.open(), at(13, "catalogue", "product.7"));
  desk.add(event(14));
  assert.deepEqual(desk.join(hello("three", at(13, "product.7"))), [event(14)]);
  assert.equal(desk.join(hello("four", at(12, "product.7"))), null, "what it kept before lacks product.7");
});

test("it goes on where the stream was cut", () => {
  const desk = deskAt15();
  desk.join(hello("two", at(12, "catalogue")));
  assert.deepEqual(desk.open(), at(15, "catalogue"));
  desk.add(event(16));
  assert.deepEqual(desk.join(hello("three", at(12))), [event(13), event(15), event(16)]);
});

test("it moves on with heartbeats and keeps none", () => {
  const desk = deskAt15();
  desk.add(event(20, "heartbeat"));
  assert.deepEqual(desk.open(), at(20, "catalogue"));
  assert.deepEqual(desk.join(hello("two", at(15))), []);
});

test("it forgets the channels of a tab that left, and one that is refused", () => {
  const desk = deskAt15();
  desk.join(hello("two", at(15, "product.7", "order.3")));
  desk.leave("one");
  desk.refuse("order.3");
  assert.deepEqual(desk.open(), at(15, "product.7"));
});

test("it starts anew at a reset, lower than before too", () => {
  const desk = deskAt15();
  assert.deepEqual(desk.reset(reset(4, "cursor-unknown")), ["one"]);
  assert.deepEqual(desk.open(), at(4, "catalogue"));
  assert.equal(desk.join(hello("two", at(3))), null);
});

test("it keeps a bounded number of events", () => {
  const desk = deskAt15();
  for (let id = 100; id < 100 + KEPT_EVENTS; id += 1) desk.add(event(id));
  assert.equal(desk.join(hello("two", at(12))), null);
  assert.equal(desk.join(hello("two", at(15)))?.length, KEPT_EVENTS);
});

test("it has a stream without a cursor begin where the server says", () => {
  const desk = new Desk();
  desk.join(hello("one", at(null, "catalogue")));
  assert.deepEqual(desk.open(), at(null, "catalogue"));
  desk.add(event(40, "connected"));
  desk.add(event(41));
  assert.deepEqual(desk.join(hello("two", at(40))), [event(41)]);
  assert.equal(desk.join(hello("two", at(39))), null);
});

test("it spares those a reset who are further on than the stream", () => {
  const desk = deskAt15();
  desk.join(hello("late", at(3, "catalogue")));
  desk.join(hello("between", at(8, "catalogue")));
  assert.deepEqual(desk.open(), at(3, "catalogue"));
  desk.add(event(3, "connected"));
  assert.deepEqual(desk.reset(reset(20)), ["late"]);
  assert.deepEqual(desk.waiting.map(({ from }) => from), ["one", "between"]);

  assert.deepEqual(desk.open(), at(8, "catalogue"));
  desk.add(event(8, "connected"));
  assert.deepEqual(desk.reset(reset(21)), ["between"], "one came along to 15, late is at 20");
  assert.deepEqual(desk.open(), at(15, "catalogue"));
});

test("it spares nobody a reset that all have come to, or that knows no cursor", () => {
  const desk = deskAt15();
  desk.join(hello("two", at(12)));
  assert.deepEqual(desk.reset(reset(20)), ["one", "two"]);
  assert.deepEqual(desk.waiting, []);
  desk.join(hello("ahead", at(99)));
  assert.deepEqual(desk.reset(reset(5, "cursor-unknown")), ["one", "two", "ahead"]);
});

test("it spares one a reset who waits for a stream anyway", () => {
  const desk = deskAt15();
  desk.join(hello("two", at(13, "product.7")));
  assert.deepEqual(desk.reset(reset(20)), ["one"]);
  assert.deepEqual(desk.open(), at(13, "catalogue", "product.7"));
});

test("it knows when it hears what nobody wants any more", () => {
  const desk = new Desk();
  desk.join(hello("a", at(4, "product.7")));
  desk.join(hello("b", at(4, "chat.1")));
  desk.open();
  assert.equal(desk.hearsTooMuch, false);
  desk.leave("b");
  assert.equal(desk.hearsTooMuch, true);
  assert.deepEqual(desk.open().channels, ["product.7"]);
  assert.equal(desk.hearsTooMuch, false);
});

test("it tells a tab that joins who is where", () => {
  const desk = deskAt15();
  const presence = (/** @type {number} */ userId, /** @type {string} */ state) => ({
    type: "presence",
    data: { channel: "order.7", userId, state },
  });
  desk.add(presence(1, "here"));
  desk.add(presence(2, "here"));
  desk.add(presence(1, "away"));
  const missed = desk.join(hello("two", at(13, "catalogue")));
  assert.deepEqual(missed, [event(15), presence(1, "away"), presence(2, "here")]);
  // The stream that is opened next says it anew.
  desk.open();
  assert.deepEqual(desk.join(hello("three", at(15, "catalogue"))), []);
});
