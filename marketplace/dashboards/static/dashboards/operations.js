/** The operations page, live: five charts, and a table that says the same in figures. */

import { on, subscribe } from "../realtime/client.js";
import { formatMoney, formatNumber } from "../realtime/format.js";
import { Chart } from "./chart.js";

/** How many samples the least and the most are taken from: five minutes. */
const MOST_SAMPLES = 150;

/**
 * @typedef {Object} Metrics as the event metrics-updated carries them
 * @property {{currency: string, amount: string}[]} revenueToday
 */

const table = /** @type {HTMLElement} */ (document.getElementById("figures"));
const plots = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-chart]"));
const charts = [...plots].map((element) => {
  const keys = (element.dataset.chart ?? "").split(" ");
  return { keys, chart: new Chart(element, keys.length) };
});
/** The last samples by figure. @type {Map<string, (number | null)[]>} */
const samples = new Map();
/** The currency that the chart of revenue shows: that of most orders when the first was placed. */
let mainCurrency = "";

/**
 * @param {{timestamp: string}} event
 * @param {any} metrics
 */
function show({ timestamp }, metrics) {
  nameCurrency(metrics.revenueToday[0]?.currency ?? "");
  const second = new Date(timestamp).getTime() / 1000;
  for (const { keys, chart } of charts) {
    chart.add(second, keys.map((key) => valueOf(metrics, key, mainCurrency)));
  }
  for (const { currency } of metrics.revenueToday) rowOf(currency);
  for (const row of table.querySelectorAll("tr")) showRow(row, metrics);
}

/** @param {string} currency of most orders, which the chart of revenue shows from the first one on */
function nameCurrency(currency) {
  if (mainCurrency !== "") return;
  mainCurrency = currency;
  const chart = document.querySelector("[data-chart=revenueToday]")?.parentElement;
  const name = chart?.querySelector("[data-part=currency]");
  if (name) name.textContent = currency;
}

/**
 * @param {any} metrics
 * @param {string} key
 * @param {string} currency
 * @returns {number | null}
 */
function valueOf(metrics, key, currency) {
  if (key !== "revenueToday") return metrics[key];
  const sold = /** @type {Metrics} */ (metrics).revenueToday.find((one) => one.currency === currency);
  return Number(sold?.amount ?? 0);
}

/**
 * The row of a currency, made when something is sold in it for the first time.
 * @param {string} currency
 */
function rowOf(currency) {
  if (table.querySelector(`[data-currency="${CSS.escape(currency)}"]`)) return;
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("revenue-row"));
  const row = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  row.dataset.currency = currency;
  part(row, "currency").textContent = currency;
  table.append(row);
}

/**
 * @param {HTMLElement} row
 * @param {any} metrics
 */
function showRow(row, metrics) {
  const { key = "", currency = "" } = row.dataset;
  const name = `${key} ${currency}`;
  const seen = [...(samples.get(name) ?? []), valueOf(metrics, key, currency)].slice(-MOST_SAMPLES);
  samples.set(name, seen);
  const known = seen.filter((value) => value !== null);
  const write = (/** @type {number | null | undefined} */ value) => {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    return currency ? formatMoney(String(value), currency) : formatNumber(value);
  };
  part(row, "now").textContent = write(seen.at(-1));
  part(row, "least").textContent = write(Math.min(...known));
  part(row, "most").textContent = write(Math.max(...known));
}

/**
 * @param {HTMLElement} row
 * @param {string} name
 */
function part(row, name) {
  return /** @type {HTMLElement} */ (row.querySelector(`[data-part=${name}]`));
}

function redraw() {
  for (const { chart } of charts) chart.redraw();
}

// Canvases do not follow the colours by themselves.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-scheme"] });

const first = JSON.parse(document.getElementById("metrics")?.textContent ?? "{}");
show(first, first.data);
on("metrics-updated", (event) => show(event, event.data));
on("subscribed", (event) => event.data.channel === "metrics" && show(event, event.data.state));
subscribe("metrics");
