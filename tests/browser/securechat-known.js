// A conversation of which every random number is known, as tests/securechat/known-answers.json has it.

import { register } from "node:module";

import { makeBundle } from "../../securechat/static/securechat/crypto/bundle.js";
import { decodeText, encodeBase64url, encodeText } from "../../securechat/static/securechat/crypto/bytes.js";
import { readMessage } from "../../securechat/static/securechat/crypto/message.js";
import { sha256 } from "../../securechat/static/securechat/crypto/primitives.js";
import { begin, open, seal } from "../../securechat/static/securechat/crypto/ratchet.js";
import { rootKeys } from "../../securechat/static/securechat/crypto/schedule.js";
import { ml_kem768 as kem } from "../../marketplace/static/vendor/noble/post-quantum/ml-kem.js";
import { importExchangeKey } from "./securechat-keys.js";

/** @typedef {import("../../securechat/static/securechat/crypto/bundle.js").Role} Role */
/** @typedef {import("../../securechat/static/securechat/crypto/ratchet.js").State} State */

register("./static-paths.js", import.meta.url);

const MADE_BY =
  "Made by playing the conversation in tests/browser/securechat-known.js. In the repository's folder: " +
  "node --input-type=module -e 'const { play } = await import(\"./tests/browser/securechat-known.js\"); " +
  "process.stdout.write(JSON.stringify(await play(), null, 2) + \"\\n\")' " +
  "> tests/securechat/known-answers.json";

const READING = {
  bytes: "base64url without padding",
  identitySeed: "the private X25519 key behind IK: 32 bytes as in RFC 7748, not yet clamped",
  exchangeSeed: "the private X25519 key behind EK, or behind a chain's pub",
  kemSeed: "the 64 bytes d || z of FIPS 203 behind KEM, or behind a chain's ek",
  encapsulation: "the 32 bytes m of FIPS 203 that made ciphertext, the ct of a chain, and its secret",
  initialChain: "the encapsulation of the seller's initial chain, for KEM of the buyer's bundle",
  turns: "what each turn of this party drew, in order; the buyer's first is the one at the beginning",
  seeds: "each is SHA-256 of a text, or two of these: see securechat-known.js",
  steps: "what happened, in order; message: its place in messages, which are in the order of receipt",
  messages: "turn: the place of the sender's chain in its turns, null for the initial chain; previous, "
    + "number: PN and N; missed, isLate: what the receiver is told",
};

const CONTEXT = {
  context: "shop.example",
  sessionId: "0b9f6a52-7c1d-4e38-9a4f-2d6c8e1b3a70",
  productId: "7",
  buyerId: "12",
  sellerId: "3",
  epoch: 1,
};

const TEXTS = {
  b0: "Is the blue bowl still there?",
  s0: "Hello! I see you look at the bowl.",
  s1: "It holds soup.",
  b1: "Grüße – 🥣 ".repeat(20),
  s2: "Yes, one is left.",
  s3: "",
  s4: "Shall I keep it for you?",
  b2: "Please do.",
  s5: "Done.",
};

/** Both write before either has read; s4 overtakes s3, and s1 comes after the turn that ended its chain. */
const SCRIPT = [
  "seal buyer b0", "seal seller s0", "seal seller s1", "open buyer s0", "open seller b0",
  "seal buyer b1", "seal seller s2", "seal seller s3", "seal seller s4",
  "open buyer s2", "open buyer s1", "open seller b1", "open buyer s4", "seal buyer b2", "open buyer s3",
  "open seller b2", "seal seller s5", "open buyer s5",
];

/** @param {string} label */
async function seed(label) {
  return sha256(encodeText(`mkt-chat/1 known answers: ${label}`));
}

/** Draws what is known, and notes it. */
class KnownSource {
  /** @type {Map<string, Uint8Array[]>} */
  drawn = new Map();
  /** @type {{encapsulation: Uint8Array, ciphertext: Uint8Array, secret: Uint8Array}[]} */
  encapsulated = [];
  #role;

  /** @param {Role} role */
  constructor(role) {
    this.#role = role;
  }

  /**
   * @param {string} kind
   * @param {string[]} parts that are hashed each for itself
   */
  async #draw(kind, parts = [""]) {
    const drawn = this.drawn.get(kind) ?? [];
    const seeds = parts.map((part) => seed(`${this.#role} ${kind}${part} ${drawn.length}`));
    const bytes = new Uint8Array(Buffer.concat(await Promise.all(seeds)));
    this.drawn.set(kind, [...drawn, bytes]);
    return bytes;
  }

  async exchangePair() {
    return importExchangeKey(await this.#draw("exchange"));
  }

  async kemPair() {
    const drawn = await this.#draw("kem", [" d", " z"]);
    return { publicKey: kem.keygen(drawn).publicKey, privateKey: { seed: drawn } };
  }

  /** @param {Uint8Array} publicKey */
  async encapsulate(publicKey) {
    const encapsulation = await this.#draw("encapsulation");
    const { cipherText: ciphertext, sharedSecret: secret } = kem.encapsulate(publicKey, encapsulation);
    this.encapsulated.push({ encapsulation, ciphertext, secret });
    return { ciphertext, secret };
  }

  salts = 0;

  /** @param {number} length */
  randomBytes(length) {
    this.salts += 1;
    return encodeText(`${this.#role} salt ${this.salts}`.padEnd(length, ".").slice(0, length));
  }
}

/** @param {Role} role */
async function makeParty(role) {
  const source = new KnownSource(role);
  const identitySeed = await seed(`${role} identity`);
  const identity = await importExchangeKey(identitySeed);
  return { role, source, identitySeed, identity, own: await makeBundle({ role, identity }, source) };
}

/** @typedef {Awaited<ReturnType<typeof makeParty>>} Party */

/**
 * @param {Party} party
 * @param {Record<string, unknown>} more
 */
function describe({ role, source, identitySeed, own }, more) {
  const [exchangeSeeds, kemSeeds] = ["exchange", "kem"]
    .map((kind) => (source.drawn.get(kind) ?? []).map(encodeBase64url));
  const encapsulated = source.encapsulated.map(({ encapsulation, ciphertext, secret }) => ({
    encapsulation: encodeBase64url(encapsulation),
    ciphertext: encodeBase64url(ciphertext),
    secret: encodeBase64url(secret),
  }));
  const [initialChain, forTurns] =
    role === "buyer" ? [undefined, encapsulated] : [encapsulated[0], encapsulated.slice(1)];
  return {
    identitySeed: encodeBase64url(identitySeed),
    exchangeSeed: exchangeSeeds[0],
    kemSeed: kemSeeds[0],
    bundle: encodeBase64url(own.bundle),
    ...more,
    ...(initialChain && { initialChain }),
    turns: forTurns.map((each, at) =>
      ({ exchangeSeed: exchangeSeeds[at + 1], kemSeed: kemSeeds[at + 1], ...each })),
  };
}

/** @param {Record<Role, Party>} parties */
async function beginBoth({ buyer, seller }) {
  const started = [[buyer, seller], [seller, buyer]].map(([{ role, identity, own, source }, peer]) =>
    begin({ role, identity, own, peerBundle: peer.own.bundle, context: CONTEXT }, source));
  const [buyerState, sellerState] = await Promise.all(started);
  return { buyer: buyerState, seller: sellerState };
}

/**
 * @param {Record<Role, Party>} parties
 * @param {Record<Role, State>} states
 */
async function follow(parties, states) {
  const present = { ...states };
  /** @type {Map<string, Uint8Array>} */
  const envelopes = new Map();
  const chains = { buyer: [present.buyer.sending.publicKey], seller: /** @type {Uint8Array[]} */ ([]) };
  const messages = [];
  const order = SCRIPT.filter((line) => line.startsWith("open")).map((line) => line.split(" ")[2]);
  const steps = [];
  for (const line of SCRIPT) {
    const [verb, by, name] = /** @type {[string, Role, keyof typeof TEXTS]} */ (line.split(" "));
    steps.push({ do: verb, by, message: order.indexOf(name) });
    if (verb === "seal") {
      const sealed = await seal(present[by], encodeText(TEXTS[name]), parties[by].source);
      present[by] = sealed.state;
      envelopes.set(name, sealed.envelope);
      continue;
    }
    const envelope = /** @type {Uint8Array} */ (envelopes.get(name));
    const { state, plaintext, missed, isLate } = await open(present[by], envelope, parties[by].source);
    if (state.sending.publicKey !== present[by].sending.publicKey) chains[by].push(state.sending.publicKey);
    present[by] = state;
    const { role, previous, number, salt, isInitial, publicKey } = await readMessage(envelope);
    const key = encodeBase64url(publicKey);
    const turn = isInitial ? null : chains[role].findIndex((each) => encodeBase64url(each) === key);
    messages.push({
      from: role, text: decodeText(plaintext), turn, previous, number, salt: encodeBase64url(salt),
      missed, isLate, envelope: encodeBase64url(envelope),
    });
  }
  return { steps, messages };
}

/** @returns all that another implementation needs to check itself */
export async function play() {
  const parties = { buyer: await makeParty("buyer"), seller: await makeParty("seller") };
  const { buyer, seller } = parties;
  const states = await beginBoth(parties);
  const { transcript } = states.buyer;
  const privateKeys = { identity: buyer.identity.privateKey, exchange: buyer.own.exchange.privateKey };
  const [identity, exchange] = [seller.identity.publicKey, seller.own.exchange.publicKey];
  const peer = { identity, exchange, kem: seller.own.kem.publicKey };
  const { rootKey, initSeed, confirmKey } = await rootKeys("buyer", privateKeys, peer, transcript);
  const conversation = await follow(parties, states);
  return {
    source: MADE_BY,
    reading: READING,
    context: CONTEXT,
    buyer: describe(buyer, { confirm: encodeBase64url(states.buyer.confirm) }),
    seller: describe(seller, { confirm: encodeBase64url(states.seller.confirm) }),
    transcriptHash: encodeBase64url(transcript),
    rootKey: encodeBase64url(rootKey),
    initSeed: encodeBase64url(initSeed),
    confirmKey: encodeBase64url(confirmKey),
    ...conversation,
  };
}
