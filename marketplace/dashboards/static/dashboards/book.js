/**
 * What a seller's figures are made of, kept up by events (marketplace/dashboards/book.py says what
 * is in it and why), and the figures themselves (figures.py does the same sums). No I/O.
 */

import { whatIsNewer } from "../realtime/patch.js";

/** @typedef {Record<string, any>} Payload an order or a product as in events */
/**
 * @typedef {{id: number, version: number, status: string, total: string, currency: string,
 *   pieces: number, createdAt: string, closedAt: string | null}} OrderEntry
 * @typedef {{orders: number, open: number, pieces: number, sold: Record<string, number>,
 *   revenue: Record<string, string>}} Day
 * @typedef {{id: number, version: number, stockVersion: number, level: string, isActive: boolean}}
 *   ProductEntry
 * @typedef {{today: string, days: Day[], orders: OrderEntry[], products: ProductEntry[],
 *   own: number[]}} BookData
 */

/**
 * What the page shows, as numbers; by day the last one is today. Revenue is in cents.
 * @typedef {object} Figures
 * @property {number[]} orders
 * @property {Map<string, bigint[]>} revenue by currency, that of most orders first
 * @property {number[]} open
 * @property {number[]} pieces
 * @property {number[]} hours
 * @property {Record<string, number>} byStatus
 * @property {number} low
 * @property {number} soldOut
 */

const HOUR_MS = 3_600_000;
const HOURS = 24;
export const DAY_MS = HOURS * HOUR_MS;
const CLOSED = new Set(["delivered", "cancelled"]);
const EMPTY_DAY = { orders: 0, open: 0, pieces: 0, sold: {}, revenue: {} };

export class Book {
  #today;
  #days;
  /** Before it, orders that are closed are in the sums. */
  #begin;
  /** @type {Map<number, OrderEntry>} */
  #orders;
  /** @type {Map<number, ProductEntry>} */
  #products;
  /** The ids of all products. @type {Set<number>} */
  #own;

  /** @param {BookData} data */
  constructor({ today, days, orders, products, own }) {
    this.#today = this.#begin = Date.parse(today);
    this.#days = days;
    this.#orders = new Map(orders.map((order) => [order.id, order]));
    this.#products = new Map(products.map((product) => [product.id, product]));
    this.#own = new Set(own);
  }

  /** The beginning of the book's day, ms since the epoch. */
  get today() {
    return this.#today;
  }

  /**
   * Whether an order is newer than what the book has of it.
   * @param {Payload} order
   */
  isNews({ id, version }) {
    return version > (this.#orders.get(id)?.version ?? 0);
  }

  /** @param {Payload} order */
  takeOrder(order) {
    if (!this.isNews(order)) return;
    const isSettled = CLOSED.has(order.status) && Date.parse(order.createdAt) < this.#begin;
    // What the sums have already must not count twice.
    if (isSettled && !this.#orders.has(order.id)) return;
    this.#orders.set(order.id, toEntry(order));
  }

  /**
   * Whether it is a product of this seller.
   * @param {number} id
   */
  owns(id) {
    return this.#own.has(id);
  }

  /** @param {Payload} payload a product of this seller, or what an event says of its stock */
  takeProduct(payload) {
    const { id } = payload;
    this.#own.add(id);
    const known = this.#products.get(id) ?? {
      id, version: 0, stockVersion: 0, level: "ok", isActive: true,
    };
    const news = whatIsNewer(/** @type {any} */ (known), /** @type {any} */ (payload));
    const { version, isActive } = news.fields ? payload : known;
    const { stockVersion, level } = news.stock ? payload : known;
    this.#products.set(id, { id, version, stockVersion, level, isActive });
  }

  /** @param {number} id */
  dropProduct(id) {
    this.#products.delete(id);
    this.#own.delete(id);
  }

  /**
   * Go on to the day of that time: what was today becomes yesterday.
   * @param {number} now ms since the epoch
   */
  turnTo(now) {
    while (now >= this.#today + DAY_MS) {
      this.#today += DAY_MS;
      this.#days = [...this.#days.slice(1), EMPTY_DAY];
    }
  }

  /** @returns {Figures} */
  reckon() {
    const orders = this.#days.map((day) => day.orders);
    const open = this.#days.map((day) => day.open);
    const pieces = this.#days.map((day) => day.pieces);
    const hours = new Array(HOURS).fill(0);
    const { sold, revenue } = this.#sumSales();
    /** @type {Record<string, number>} */
    const byStatus = {};
    for (const order of this.#orders.values()) {
      const isOpen = !CLOSED.has(order.status);
      if (isOpen) byStatus[order.status] = (byStatus[order.status] ?? 0) + 1;
      const day = this.#dayOf(order.createdAt);
      const closed = isOpen ? Infinity : this.#dayOf(order.closedAt ?? order.createdAt);
      const last = isOpen ? open.length : Math.min(closed, open.length - 1);
      for (let number = Math.max(day, 0); number < last; number += 1) open[number] += 1;
      if (!(day in orders)) continue;
      orders[day] += 1;
      if (day === orders.length - 1) hours[this.#hourOf(order.createdAt)] += 1;
      if (order.status === "cancelled") continue;
      pieces[day] += order.pieces;
      sold.set(order.currency, (sold.get(order.currency) ?? 0) + 1);
      daysOf(revenue, order.currency, orders.length)[day] += cents(order.total);
    }
    const byOrders = (/** @type {string} */ one, /** @type {string} */ other) =>
      (sold.get(other) ?? 0) - (sold.get(one) ?? 0) || (one < other ? -1 : 1);
    const sorted = new Map([...revenue].sort(([one], [other]) => byOrders(one, other)));
    return { orders, revenue: sorted, open, pieces, hours, byStatus, ...this.#countScarce() };
  }

  #sumSales() {
    /** @type {Map<string, bigint[]>} */
    const revenue = new Map();
    /** @type {Map<string, number>} */
    const sold = new Map();
    for (const [number, day] of this.#days.entries()) {
      for (const [currency, amount] of Object.entries(day.revenue)) {
        daysOf(revenue, currency, this.#days.length)[number] += cents(amount);
        sold.set(currency, (sold.get(currency) ?? 0) + day.sold[currency]);
      }
    }
    return { sold, revenue };
  }

  #countScarce() {
    const levels = [...this.#products.values()].filter((one) => one.isActive).map((one) => one.level);
    const soldOut = levels.filter((level) => level === "out").length;
    return { low: soldOut + levels.filter((level) => level === "low").length, soldOut };
  }

  /** @param {string} moment */
  #dayOf(moment) {
    const first = this.#today - (this.#days.length - 1) * DAY_MS;
    return Math.floor((Date.parse(moment) - first) / DAY_MS);
  }

  /** @param {string} moment */
  #hourOf(moment) {
    return Math.floor((Date.parse(moment) - this.#today) / HOUR_MS);
  }
}

/**
 * @param {Payload} order
 * @returns {OrderEntry}
 */
function toEntry({ id, version, status, total, currency, createdAt, lines, history }) {
  const closing = history.find((/** @type {any} */ step) => CLOSED.has(step.to));
  const pieces = lines.reduce((/** @type {number} */ sum, /** @type {any} */ line) => sum + line.quantity, 0);
  return { id, version, status, total, currency, pieces, createdAt, closedAt: closing?.at ?? null };
}

/**
 * @param {Map<string, bigint[]>} revenue
 * @param {string} currency
 * @param {number} days
 * @returns {bigint[]}
 */
function daysOf(revenue, currency, days) {
  const amounts = revenue.get(currency) ?? new Array(days).fill(0n);
  revenue.set(currency, amounts);
  return amounts;
}

/** @param {string} amount with two decimals */
function cents(amount) {
  return BigInt(amount.replace(".", ""));
}
