// Two browsers that have each other's bundles.

import { register } from "node:module";

import { makeBundle } from "../../securechat/static/securechat/crypto/bundle.js";
import { decodeText, encodeText } from "../../securechat/static/securechat/crypto/bytes.js";
import { begin, open, seal } from "../../securechat/static/securechat/crypto/ratchet.js";
import { generateExchangePair } from "../../securechat/static/securechat/crypto/primitives.js";

/** @typedef {import("../../securechat/static/securechat/crypto/bundle.js").Role} Role */
/** @typedef {import("../../securechat/static/securechat/crypto/ratchet.js").State} State */

register("./static-paths.js", import.meta.url);

export const CONTEXT = Object.freeze({
  context: "shop.example",
  sessionId: "0b9f6a52-7c1d-4e38-9a4f-2d6c8e1b3a70",
  productId: "7",
  buyerId: "12",
  sellerId: "3",
  epoch: 1,
});

/** @param {Role} role */
export async function makeParty(role) {
  const identity = await generateExchangePair();
  return { role, identity, own: await makeBundle({ role, identity }) };
}

/** One end of a conversation, with the state that its browser has stored. */
export class End {
  /** @param {State} state */
  constructor(state) {
    this.state = state;
  }

  /** @param {string} text */
  async say(text) {
    const { state, envelope } = await seal(this.state, encodeText(text));
    this.state = structuredClone(state);
    return envelope;
  }

  /** @param {Uint8Array} envelope */
  async hear(envelope) {
    const { state, plaintext, ...rest } = await open(this.state, envelope);
    this.state = structuredClone(state);
    return { text: decodeText(plaintext), ...rest };
  }
}

/** @param {Partial<typeof CONTEXT>} [more] */
export async function meet(more) {
  const [buyer, seller] = await Promise.all([makeParty("buyer"), makeParty("seller")]);
  const context = { ...CONTEXT, ...more };
  const states = await Promise.all([
    begin({ ...buyer, peerBundle: seller.own.bundle, context }),
    begin({ ...seller, peerBundle: buyer.own.bundle, context }),
  ]);
  return { buyer: new End(states[0]), seller: new End(states[1]), parties: { buyer, seller } };
}

/** @param {string} reason */
export const refused = (reason) => ({ name: "ChatError", reason });
