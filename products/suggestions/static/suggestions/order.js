/**
 * In which order suggestions stand, as products/suggestions/filters.py has it. No I/O.
 */

/** @typedef {{id: number, votes: number, createdAt: string}} Facts what the order depends on */
/** @typedef {"-createdAt" | "-votes"} Ordering */

/**
 * Below zero where a suggestion stands before another, above where it stands behind it.
 * @param {Facts} one
 * @param {Facts} other
 * @param {Ordering} ordering
 */
export function compare(one, other, ordering) {
  const byVotes = ordering === "-votes" ? other.votes - one.votes : 0;
  const byTime = one.createdAt < other.createdAt ? 1 : one.createdAt > other.createdAt ? -1 : 0;
  return byVotes || byTime || other.id - one.id;
}

/**
 * Whether each stands where it belongs.
 * @param {Facts[]} rows
 * @param {Ordering} ordering
 */
export function isInOrder(rows, ordering) {
  return rows.every((row, index) => index === 0 || compare(rows[index - 1], row, ordering) < 0);
}
