// Puts the secure chat's own modules within reach of a test as window.chat: bytes are hexadecimal text
// there, and what throws comes back as {refused: why}.
async () => {
  const load = (name) => import(`/static/securechat/crypto/${name}.js`);
  const { ml_kem768: noble } = await import("/static/vendor/noble/post-quantum/ml-kem.js");
  const primitives = await load("primitives");
  const kem = await load("kem");
  const { makeBundle } = await load("bundle");
  const ratchet = await load("ratchet");
  const { safetyNumber } = await load("fingerprint");

  const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const hex = (array) => Array.from(array, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const isNative = () => "encapsulateBits" in SubtleCrypto.prototype;

  async function attempt(work) {
    try {
      return await work();
    } catch (error) {
      return { refused: error.reason ?? error.name };
    }
  }

  // WebCrypto takes a private X25519 key in PKCS #8 only.
  function exchangeKey(private_) {
    const key = bytes(`302e020100300506032b656e04220420${private_}`);
    return crypto.subtle.importKey("pkcs8", key, { name: "X25519" }, false, ["deriveBits"]);
  }

  const kemKey = (seed) => isNative()
    ? crypto.subtle.importKey("raw-seed", bytes(seed), "ML-KEM-768", false, ["decapsulateBits"])
    : { seed: bytes(seed) };

  const compute = {
    exchange: async ({ private: private_, public: public_ }) =>
      hex(await primitives.exchange(await exchangeKey(private_), bytes(public_))),
    hkdf: async ({ salt, ikm, info, size }) =>
      hex(await primitives.hkdf(bytes(salt), bytes(ikm), bytes(info), size)),
    hmac: async ({ key, content }) => hex(await primitives.hmac(bytes(key), bytes(content))),
    seal: async ({ key, iv, msg, aad }) =>
      hex(await primitives.gcmSeal(bytes(key), bytes(iv), bytes(msg), bytes(aad))),
    open: async ({ key, iv, ct, tag, aad }) =>
      hex(await primitives.gcmOpen(bytes(key), bytes(iv), bytes(ct + tag), bytes(aad))),
    decapsulate: async ({ seed, c }) => hex(await kem.decapsulate(await kemKey(seed), bytes(c))),
    encapsulate: async ({ ek }) => (await kem.encapsulate(bytes(ek))).ciphertext.length,
    thereAndBack: async ({ seed, ek }) => {
      const { ciphertext, secret } = await kem.encapsulate(bytes(ek));
      return hex(secret) === hex(await kem.decapsulate(await kemKey(seed), ciphertext));
    },
    // What the module itself never gives: the randomness, and the seed.
    nobleEncapsulate: async ({ ek, m }) => {
      const { cipherText, sharedSecret } = noble.encapsulate(bytes(ek), bytes(m));
      return [hex(cipherText), hex(sharedSecret)];
    },
    nobleKeys: async ({ seed }) => {
      const { publicKey, secretKey } = noble.keygen(bytes(seed));
      return [hex(publicKey), hex(secretKey)];
    },
  };

  async function computeAll([name, vectors]) {
    const answers = [];
    for (const vector of vectors) answers.push(await attempt(() => compute[name](vector)));
    return answers;
  }

  let party;
  let state;

  window.chat = {
    isNative,
    computeAll,
    safetyNumber: (people) =>
      safetyNumber(...people.map(({ userId, identity }) => ({ userId, identity: bytes(identity) }))),

    makeBundle: async (role) => {
      const identity = await primitives.generateExchangePair();
      party = { role, identity, own: await makeBundle({ role, identity }) };
      return hex(party.own.bundle);
    },
    begin: ([peerBundle, context]) => attempt(async () => {
      state = await ratchet.begin({ ...party, peerBundle: bytes(peerBundle), context });
      return [hex(state.confirm), hex(state.peerConfirm)];
    }),
    seal: async (plaintext) => {
      const sealed = await ratchet.seal(state, bytes(plaintext));
      state = sealed.state;
      return hex(sealed.envelope);
    },
    open: (envelope) => attempt(async () => {
      const { plaintext, missed, isLate, state: next } = await ratchet.open(state, bytes(envelope));
      state = next;
      return { plaintext: hex(plaintext), missed, isLate };
    }),
    snapshot: () => JSON.stringify(state),
  };
}
