/**
 * What is in the basket: kept on this device, for each user by itself, and shared by all tabs. No
 * I/O but the storage that is given.
 */

import { withNews } from "../products/shown.js";

/** @typedef {Record<string, any>} Product as in events, without its description */

/**
 * One product in the basket. seenPrice: the price at which it was put in; isGone: it is off sale.
 * @typedef {{product: Product, quantity: number, seenPrice: string, isGone: boolean}} Line
 */

export const MOST_LINES = 50;
const MOST_PIECES = 100_000;

export class BasketStore {
  #storage;
  #key;

  /**
   * @param {Storage} storage
   * @param {string} key of this user's basket
   */
  constructor(storage, key) {
    this.#storage = storage;
    this.#key = key;
  }

  get key() {
    return this.#key;
  }

  /** @returns {Line[]} */
  get lines() {
    try {
      const kept = JSON.parse(this.#storage.getItem(this.#key) ?? "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }

  /**
   * Put pieces in: no more than are left, and none where no further product fits.
   * @param {Product} product
   * @param {number} pieces
   * @returns {number} how many pieces of it are in the basket now
   */
  add(product, pieces) {
    const lines = this.lines;
    let line = lines.find((present) => present.product.id === product.id);
    if (line === undefined) {
      if (lines.length >= MOST_LINES) return 0;
      line = { product, quantity: 0, seenPrice: product.price, isGone: false };
      lines.push(line);
    }
    line.product = withNews(line.product, product);
    line.quantity = Math.min(line.quantity + pieces, Math.max(product.stock, 1), MOST_PIECES);
    line.isGone = false;
    this.#write(lines);
    return line.quantity;
  }

  /**
   * @param {number} id
   * @param {number} quantity
   */
  setQuantity(id, quantity) {
    this.#change(id, (line) => {
      line.quantity = Math.min(Math.max(1, Math.trunc(quantity) || 1), MOST_PIECES);
    });
  }

  /** @param {Iterable<number>} ids */
  remove(ids) {
    const leaving = new Set(ids);
    this.#write(this.lines.filter((line) => !leaving.has(line.product.id)));
  }

  /**
   * Take over what an event says of a product.
   * @param {Product} payload
   */
  update(payload) {
    this.#change(payload.id, (line) => {
      line.product = withNews(line.product, payload);
      if ("version" in payload) line.isGone = !line.product.isActive;
    });
  }

  /**
   * Take over what a refusal says, which knows no version.
   * @param {number} id
   * @param {{price?: string, stock?: number, isGone?: boolean}} truth
   */
  correct(id, { isGone, ...values }) {
    this.#change(id, (line) => {
      Object.assign(line.product, values);
      if (values.stock === 0) line.product.level = "out";
      if (isGone !== undefined) line.isGone = isGone;
    });
  }

  /**
   * Take over the basket of somebody who has logged in since.
   * @param {string} key
   */
  adopt(key) {
    const other = new BasketStore(this.#storage, key);
    for (const { product, quantity } of other.lines) this.add(product, quantity);
    other.#write([]);
  }

  /**
   * @param {number} id
   * @param {(line: Line) => void} change
   */
  #change(id, change) {
    // Read anew each time: another tab may have written meanwhile.
    const lines = this.lines;
    const line = lines.find((present) => present.product.id === id);
    if (line === undefined) return;
    change(line);
    this.#write(lines);
  }

  /** @param {Line[]} lines */
  #write(lines) {
    if (lines.length > 0) this.#storage.setItem(this.#key, JSON.stringify(lines));
    else this.#storage.removeItem(this.#key);
  }
}

/**
 * Whether a line can be ordered as it stands.
 * @param {Line} line
 */
export function isOrderable({ product, isGone, quantity }) {
  return !isGone && quantity <= product.stock;
}

/**
 * Whether there is any of a line left to order.
 * @param {Line} line
 */
export function isAvailable({ product, isGone }) {
  return !isGone && product.stock > 0;
}

/**
 * What lines cost: a sum for each currency, with two decimals.
 * @param {Line[]} lines
 * @returns {Map<string, string>} by currency
 */
export function totals(lines) {
  /** @type {Map<string, number>} */
  const cents = new Map();
  for (const { product, quantity } of lines) {
    const sum = Math.round(Number(product.price) * 100) * quantity;
    cents.set(product.currency, (cents.get(product.currency) ?? 0) + sum);
  }
  return new Map([...cents].map(([currency, sum]) => [currency, (sum / 100).toFixed(2)]));
}

/** @returns {Storage} the browser's, or one that lasts as long as the page where that is refused */
export function openStorage() {
  try {
    localStorage.setItem("basket-test", "");
    localStorage.removeItem("basket-test");
    return localStorage;
  } catch {
    return new PageStorage();
  }
}

/** @implements {Storage} */
class PageStorage {
  /** @type {Map<string, string>} */
  #items = new Map();

  get length() {
    return this.#items.size;
  }

  clear() {
    this.#items.clear();
  }

  /** @param {number} index */
  key(index) {
    return [...this.#items.keys()][index] ?? null;
  }

  /** @param {string} name */
  getItem(name) {
    return this.#items.get(name) ?? null;
  }

  /** @param {string} name @param {string} value */
  setItem(name, value) {
    this.#items.set(name, value);
  }

  /** @param {string} name */
  removeItem(name) {
    this.#items.delete(name);
  }
}
