/** What has become of an own message. Marks only go forward. */

/** @typedef {import("./database.js").Mark} Mark */

const ORDER = ["waiting", "failed", "sent", "delivered", "read"];

/**
 * @param {Mark | undefined} one
 * @param {Mark} other
 * @returns {Mark} the later of the two
 */
export function furthest(one, other) {
  return one !== undefined && ORDER.indexOf(one) > ORDER.indexOf(other) ? one : other;
}
