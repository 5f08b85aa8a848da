/**
 * What imports tell of products while it waits for the page: thousands a second may come, in lots,
 * and the page is given them at most four times a second. No I/O.
 */

/** @typedef {import("./query.js").Product} Product */

export const PAUSE_MS = 250;
/** A page in the background has slow timers, and would gather a whole catalogue. */
export const MOST_WAITING = 2_500;

export class ImportedProducts {
  #take;
  /** @type {Map<number, Product>} */
  #waiting = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {(products: Product[]) => void} take is given what has come, each product once */
  constructor(take) {
    this.#take = take;
  }

  /** @param {Product[]} products of one event */
  add(products) {
    for (const product of products) {
      const known = this.#waiting.get(product.id);
      if (known === undefined || !isOlder(product, known)) this.#waiting.set(product.id, product);
    }
    if (this.#waiting.size >= MOST_WAITING) this.#handOver();
    else if (this.#waiting.size > 0) this.#timer ??= setTimeout(() => this.#handOver(), PAUSE_MS);
  }

  /**
   * Give the page what waits of a product, before it hears of it by an event of its own.
   * @param {number} id
   */
  bring(id) {
    const product = this.#waiting.get(id);
    if (product === undefined) return;
    this.#waiting.delete(id);
    this.#take([product]);
  }

  /** @param {number} id of a product that is gone */
  drop(id) {
    this.#waiting.delete(id);
  }

  #handOver() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const products = [...this.#waiting.values()];
    this.#waiting.clear();
    if (products.length > 0) this.#take(products);
  }
}

/**
 * @param {Product} one
 * @param {Product} other
 */
function isOlder(one, other) {
  return one.version < other.version || one.stockVersion < other.stockVersion;
}
