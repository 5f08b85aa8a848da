/**
 * What to do after a stream has ended: pure decisions, no timers.
 */

export const FIRST_PAUSE_MS = 1_000;
export const LONGEST_PAUSE_MS = 30_000;

/**
 * How a stream ended.
 * - closing: the server said so; retryAfter in ms, null for "do not come back by yourself"
 * - refused: it was not opened; retryAfter in ms where the server named one
 * - lost: cut, silent or unreachable
 * @typedef {{why: "closing", reason: string, retryAfter: number | null}
 *   | {why: "refused", status: number, retryAfter: number | null}
 *   | {why: "lost"}} Ending
 */

/**
 * What follows: come back after a pause, find out which channel is refused, or stay away.
 * @typedef {{step: "retry", after: number}
 *   | {step: "probe", after: number}
 *   | {step: "stop", reason: string}} Step
 */

/**
 * Exponential backoff with full jitter: anything from nothing to the present ceiling.
 * @param {number} failures how many attempts have failed in a row, the last one not counted
 * @param {() => number} random
 * @returns {number} milliseconds
 */
export function backoff(failures, random = Math.random) {
  const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 16));
  return random() * ceiling;
}

/**
 * @param {Ending} ending
 * @param {{failures: number, hasTicket: boolean, random?: () => number}} situation
 *   hasTicket: every attempt brings a new credential, so that a refused one is no reason to stop
 * @returns {Step}
 */
export function nextStep(ending, { failures, hasTicket, random = Math.random }) {
  const pause = backoff(failures, random);
  if (ending.why === "closing") {
    // The server has spread its clients already; only those that fail again wait longer.
    const after = Math.max(ending.retryAfter ?? 0, failures > 0 ? pause : 0);
    if (ending.retryAfter !== null) return { step: "retry", after };
    if (ending.reason === "forbidden") return { step: "probe", after };
    return { step: "stop", reason: ending.reason };
  }
  if (ending.why === "refused") {
    if (ending.status === 401 && !hasTicket) return { step: "stop", reason: "logged-out" };
    if (ending.status === 403) return { step: "probe", after: pause };
    // Everybody was told the same number of seconds: come back after them, not all at once.
    const asked = (ending.retryAfter ?? 0) * (1 + random() / 2);
    return { step: "retry", after: Math.max(asked, pause) };
  }
  return { step: "retry", after: pause };
}

/**
 * The value of a Retry-After header.
 * @param {string | null} text seconds, or an HTTP date
 * @param {number} now milliseconds since the epoch
 * @returns {number | null} milliseconds from now
 */
export function parseRetryAfter(text, now = Date.now()) {
  if (text === null || text.trim() === "") return null;
  if (/^\d+$/.test(text.trim())) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
