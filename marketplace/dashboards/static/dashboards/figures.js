/**
 * How the figures of a seller are written and drawn: the same as marketplace/dashboards/figures.py,
 * to the letter. No I/O.
 */

import { formatMoney, formatNumber } from "../realtime/format.js";

/** @typedef {import("./book.js").Figures} Figures */

const NOTHING = "–";
const SPARK_WIDTH = 100n;
const SPARK_HEIGHT = 36n;
const SPARK_MARGIN = 2n;

/**
 * The figures as texts, by the data-figure of the elements that show them.
 * @param {Figures} figures
 * @param {string} [locale]
 * @returns {Record<string, string>}
 */
export function writeFigures({ orders, revenue, open, byStatus, low, soldOut }, locale) {
  const number = (/** @type {number} */ value) => formatNumber(value, locale);
  const money = (/** @type {bigint} */ amount, /** @type {string} */ currency) =>
    formatMoney(toAmount(amount), currency, locale);
  const [[main, days] = ["", /** @type {bigint[]} */ ([])], ...others] = revenue;
  const [yesterday, today] = days.slice(-2);
  return {
    ordersToday: number(orders[orders.length - 1]),
    ordersYesterday: number(orders[orders.length - 2]),
    revenueToday: main ? money(today, main) : NOTHING,
    revenueYesterday: main ? money(yesterday, main) : NOTHING,
    revenueOthers: others
      .map(([currency, amounts]) => ({ currency, amount: amounts[amounts.length - 1] }))
      .filter(({ amount }) => amount > 0n)
      .map(({ currency, amount }) => money(amount, currency))
      .join(" · "),
    open: number(open[open.length - 1]),
    low: number(low),
    soldOut: number(soldOut),
    pending: number(byStatus.pending ?? 0),
    confirmed: number(byStatus.confirmed ?? 0),
    shipped: number(byStatus.shipped ?? 0),
  };
}

/**
 * The lines of the four sparklines, by their data-stat.
 * @param {Figures} figures
 * @returns {Record<string, (number | bigint)[]>}
 */
export function sparkValues({ orders, revenue, open, pieces }) {
  const [main = new Array(orders.length).fill(0)] = revenue.values();
  return { orders, revenue: main, open, low: pieces };
}

/** @param {(number | bigint)[]} values */
export function sparkLine(values) {
  const amounts = values.map(BigInt);
  const highest = amounts.reduce((one, other) => (one > other ? one : other), 1n);
  const height = SPARK_HEIGHT - 2n * SPARK_MARGIN;
  const points = amounts.map((amount, number) => {
    const x = (BigInt(number) * SPARK_WIDTH) / BigInt(amounts.length - 1);
    return `${x} ${SPARK_HEIGHT - SPARK_MARGIN - (amount * height) / highest}`;
  });
  return `M${points.join("L")}`;
}

/** @param {(number | bigint)[]} values */
export function sparkArea(values) {
  return `${sparkLine(values)}L${SPARK_WIDTH} ${SPARK_HEIGHT}L0 ${SPARK_HEIGHT}Z`;
}

/**
 * The heights of a chart's bars, in percent of the highest.
 * @param {number[]} values
 */
export function barHeights(values) {
  const highest = Math.max(...values, 1);
  return values.map((value) => Math.floor((value * 100) / highest));
}

/** @param {bigint} amount in cents */
function toAmount(amount) {
  const digits = String(amount).padStart(3, "0");
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
