/**
 * What the availability board is chosen from: the scarcest products on sale, by their stock and
 * then their id, as products/selectors.py reads them. No I/O.
 */

/** As products/selectors.py says. */
export const MOST = 200;

/** @typedef {{id: number, stock: number, stockVersion: number}} Place */

export class Scarcest {
  /** @type {Map<number, Place>} */
  #places;
  /** Whatever is not here stands behind it; null where everything on sale is here. @type {Place | null} */
  #last;

  /** @param {Place[]} places in their order */
  constructor(places) {
    this.#places = new Map(places.map((place) => [place.id, place]));
    this.#last = places[MOST - 1] ?? null;
  }

  /** @param {number} id */
  has(id) {
    return this.#places.has(id);
  }

  /**
   * Take in a product on sale, or its new stock, if it is scarce enough.
   * @param {Place} product
   */
  put({ id, stock, stockVersion }) {
    const place = { id, stock, stockVersion };
    if (stockVersion < (this.#places.get(id)?.stockVersion ?? 0)) return;
    if (this.#last !== null && compare(place, this.#last) > 0) this.#places.delete(id);
    else this.#places.set(id, place);
  }

  /** @param {number} id */
  delete(id) {
    this.#places.delete(id);
  }

  /**
   * Let those go that are too many.
   * @returns {number[]} their ids
   */
  trim() {
    if (this.#places.size <= MOST) return [];
    const places = [...this.#places.values()].sort(compare);
    this.#last = places[MOST - 1];
    const beyond = places.slice(MOST).map(({ id }) => id);
    for (const id of beyond) this.#places.delete(id);
    return beyond;
  }
}

/**
 * Below zero where one is scarcer than the other.
 * @param {Place} one
 * @param {Place} other
 */
function compare(one, other) {
  return one.stock - other.stock || one.id - other.id;
}
