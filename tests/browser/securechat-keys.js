// X25519 key pairs of private keys that are given.

const { subtle } = crypto;

/** RFC 8410 §7: all of a PKCS #8 key but its 32 bytes. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b656e04220420", "hex");

/** @param {Uint8Array} seed the private key, 32 bytes */
export async function importExchangeKey(seed) {
  const pkcs8 = Buffer.concat([PKCS8_HEAD, seed]);
  const privateKey = await subtle.importKey("pkcs8", pkcs8, { name: "X25519" }, true, ["deriveBits"]);
  const { x } = await subtle.exportKey("jwk", privateKey);
  return { publicKey: new Uint8Array(Buffer.from(/** @type {string} */ (x), "base64url")), privateKey };
}
