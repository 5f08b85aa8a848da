// 400 messages through a network that does all it can, by a die that falls the same each time.

import assert from "node:assert/strict";
import { test } from "node:test";

import { meet } from "./securechat-parties.js";

/** @typedef {import("./securechat-parties.js").End} End */
/** @typedef {{text: string, envelope: Uint8Array, isDropped?: boolean}} Letter */

const MESSAGES = 400;
/** How many may be under way to one end: fewer than may be skipped. */
const MOST_UNDER_WAY = 12;

/**
 * mulberry32.
 * @param {number} seed
 */
function makeDie(seed) {
  let state = seed;
  return (/** @type {number} */ sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * sides);
  };
}

/** A way from one end to the other, with what was said, and what has come of it. */
class Way {
  /** @type {Letter[]} */
  underWay = [];
  /** @type {Letter[]} */
  arrived = [];
  said = 0;
  /** What the receiver was told to be missing, less what came late. */
  missing = 0;
  refusals = new Map();

  /**
   * @param {End} from
   * @param {End} to
   * @param {(sides: number) => number} die
   */
  constructor(from, to, die) {
    this.from = from;
    this.to = to;
    this.die = die;
  }

  async say() {
    this.said += 1;
    const text = `message ${this.said} ${"x".repeat(this.die(600))}`;
    this.underWay.push({ text, envelope: await this.from.say(text) });
  }

  /** @param {Letter} letter */
  async #deliver(letter) {
    const { text, missed, isLate } = await this.to.hear(letter.envelope);
    assert.equal(text, letter.text);
    this.missing += missed - Number(isLate);
    this.arrived.push(letter);
  }

  async deliver() {
    const [letter] = this.underWay.splice(this.die(this.underWay.length), 1);
    try {
      await this.#deliver(letter);
    } catch (error) {
      // What of the initial chain comes after the second turn is lost, and was told to be missing.
      assert.equal(error.reason, "retired");
      this.#note(error);
    }
  }

  drop() {
    this.underWay.splice(this.die(this.underWay.length), 1);
  }

  /** @param {Letter[]} letters of which one is heard, or something like it */
  #pick(letters) {
    return letters[this.die(letters.length)].envelope;
  }

  async replay() {
    if (this.arrived.length > 0) await this.#refuse(this.to, this.#pick(this.arrived));
  }

  async reflect() {
    await this.#refuse(this.from, this.#pick(this.underWay));
  }

  async tamper() {
    const genuine = this.#pick(this.underWay);
    // As often in the little that is not keys as in the much that is.
    const places = [genuine.length, 67, 24].map((length, kind) => this.die(length) + (kind === 2 ? 2307 : 0));
    const at = places[this.die(places.length)];
    await this.#refuse(this.to, genuine.with(at, genuine[at] ^ (1 << this.die(8))));
  }

  async cut() {
    const genuine = this.#pick(this.underWay);
    await this.#refuse(this.to, genuine.slice(0, this.die(genuine.length)));
  }

  /** @param {End} end @param {Uint8Array} envelope */
  async #refuse(end, envelope) {
    const { state } = end;
    await assert.rejects(end.hear(envelope), (error) => this.#note(error));
    assert.equal(end.state, state);
  }

  #note(/** @type {any} */ error) {
    assert.equal(error.name, "ChatError");
    this.refusals.set(error.reason, (this.refusals.get(error.reason) ?? 0) + 1);
    return true;
  }

  async settle() {
    while (this.underWay.length > 0) await this.deliver();
    await this.say();
    await this.deliver();
  }
}

/** @param {Way[]} ways @param {(sides: number) => number} die */
async function storm(ways, die) {
  while (ways[0].said + ways[1].said < MESSAGES) {
    const way = ways[die(2)];
    const isFull = way.underWay.length >= MOST_UNDER_WAY;
    if (way.underWay.length === 0 || (die(2) === 0 && !isFull)) await way.say();
    const act = die(16);
    if (act < 7) await way.deliver();
    else if (act === 7) way.drop();
    else if (act < 10) await way.tamper();
    else if (act === 10) await way.reflect();
    else if (act === 11) await way.replay();
    else if (act === 12) await way.cut();
  }
}

for (const seed of [1, 2]) {
  test(`all that opens is genuine, once, and all that is lost is told (die ${seed})`, async () => {
    const { buyer, seller } = await meet();
    const die = makeDie(seed);
    const ways = [new Way(buyer, seller, die), new Way(seller, buyer, die)];
    await storm(ways, die);
    for (const way of [...ways, ...ways, ...ways]) await way.settle();
    for (const { said, arrived, missing, refusals } of ways) {
      assert.equal(new Set(arrived).size, arrived.length);
      assert.ok(arrived.length < said, "something was lost");
      assert.equal(missing, said - arrived.length);
      for (const reason of ["malformed", "reflected", "unverified"]) {
        assert.ok(refusals.get(reason) > 0, reason);
      }
    }
  });
}
