/** How many notifications are unread, reckoned from what the page was rendered with and the log. */

/** The header counts no further. */
const MOST_SHOWN = 99;

export class Unread {
  #counted;

  /**
   * @param {number} count when the page was rendered
   * @param {Iterable<number>} counted the ids of what was counted then. The page's events begin
   *   before that: of these the page may hear yet
   */
  constructor(count, counted) {
    this.count = count;
    this.#counted = new Set(counted);
  }

  /** @param {number} id of a notification that has come */
  arrive(id) {
    if (!this.#counted.delete(id)) this.count += 1;
  }

  /** @param {number} left how many are unread at this point of the log: what follows comes on top */
  read(left) {
    this.count = left;
    this.#counted.clear();
  }

  /** The count as the header shows it. */
  get text() {
    return this.count > MOST_SHOWN ? `${MOST_SHOWN}+` : String(this.count);
  }
}
