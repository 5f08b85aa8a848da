/**
 * Placing the order: sent once, however often it is pressed or the network fails in between.
 */

import { callApi } from "../forms.js";

/** @typedef {import("./basket-store.js").Line} Line */
/** @typedef {{code: string, detail: string, attr: string | null, [name: string]: any}} ApiError */

const IN_FLIGHT = "idempotency_in_flight";
const IN_FLIGHT_PAUSE_MS = 1_000;
const IN_FLIGHT_ATTEMPTS = 10;

/**
 * What the API is told of the lines.
 * @param {Line[]} lines
 */
export function toOrderLines(lines) {
  return lines.map(({ product, quantity }) => ({
    productId: product.id,
    quantity,
    unitPrice: product.price,
  }));
}

/** Sends orders of one user, each with a key that stays until an answer came. */
export class OrderSender {
  #url;
  #storage;
  #name;

  /**
   * @param {string} url
   * @param {Storage} storage
   * @param {string} name under which an order without an answer is kept
   */
  constructor(url, storage, name) {
    this.#url = url;
    this.#storage = storage;
    this.#name = name;
  }

  /**
   * @param {object} order
   * @returns {Promise<{orders: any[]} | {errors: ApiError[]}>} rejects where no answer came; the
   *   same order may then be sent again, and is placed once
   */
  async send(order) {
    const key = this.#keyFor(order);
    for (let attempt = 1; ; attempt += 1) {
      const headers = { "Idempotency-Key": key };
      const { status, body } = await callApi(this.#url, { json: order, headers });
      const isInFlight = body?.errors?.[0]?.code === IN_FLIGHT;
      if (isInFlight && attempt < IN_FLIGHT_ATTEMPTS) {
        await new Promise((resolve) => setTimeout(resolve, IN_FLIGHT_PAUSE_MS));
        continue;
      }
      // Of a failing server nobody knows what it did: the key stays.
      if (status < 500 && !isInFlight) this.#storage.removeItem(this.#name);
      if (status === 201) return { orders: body.orders };
      return { errors: body?.errors ?? [unexpected(status)] };
    }
  }

  /**
   * @param {object} order
   * @returns {string} the key under which this very order was sent before, or a new one
   */
  #keyFor(order) {
    const text = JSON.stringify(order);
    const kept = JSON.parse(this.#storage.getItem(this.#name) ?? "null");
    if (kept?.order === text) return kept.key;
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const key = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#storage.setItem(this.#name, JSON.stringify({ order: text, key }));
    return key;
  }
}

/**
 * @param {number} status
 * @returns {ApiError}
 */
function unexpected(status) {
  const text = gettext("The server could not do this (%s). Press again: nothing is ordered twice.");
  return { code: "unexpected", detail: interpolate(text, [status]), attr: null };
}
