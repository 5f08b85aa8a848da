/** A chart of the last five minutes, which moves. Its colours are those of its legend. */

import { formatNumber, pageLocale } from "../realtime/format.js";
import uPlot from "../vendor/uplot/uPlot.esm.js";

/** The width of the window, and how far apart two samples may be to be joined, in seconds. */
const WINDOW = 300;
const MOST_APART = 6;
const DASHES = [[], [5, 3]];
/** Whole ones: nobody is connected by halves. */
const STEPS = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

/** @typedef {(number | null)[]} Values */

export class Chart {
  #element;
  #plot;
  #tip;
  /** Seconds, then a list for each line. @type {Values[]} */
  #data;

  /**
   * @param {HTMLElement} element
   * @param {number} lines
   */
  constructor(element, lines) {
    this.#element = element;
    this.#data = Array.from({ length: lines + 1 }, () => []);
    this.#tip = document.createElement("p");
    this.#tip.className = "chart-tip";
    this.#tip.hidden = true;
    this.#plot = new uPlot(this.#options(lines), this.#data, element);
    element.append(this.#tip);
    new ResizeObserver(() => this.#plot.setSize(this.#size())).observe(element);
  }

  /**
   * @param {number} second since the epoch
   * @param {Values} values one for each line; null where there is nothing
   */
  add(second, values) {
    const [seconds] = this.#data;
    const last = seconds.at(-1) ?? second;
    // A line over a stretch that nobody saw would tell what is not known.
    if (second - last > MOST_APART) this.#push(last + 1, values.map(() => null));
    this.#push(second, values);
    while (/** @type {number} */ (seconds[0]) < second - WINDOW) {
      for (const list of this.#data) list.shift();
    }
    this.#plot.setData(this.#data);
  }

  /** Draw it anew, in the colours of now. */
  redraw() {
    this.#plot.redraw(false);
  }

  /**
   * @param {number} second
   * @param {Values} values
   */
  #push(second, values) {
    [second, ...values].forEach((value, line) => this.#data[line].push(value));
  }

  /** @param {number} lines */
  #options(lines) {
    return {
      ...this.#size(),
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: true, range: (/** @type {any} */ _plot, /** @type {number} */ _least, /** @type {number} */ most) => [most - WINDOW, most] },
        y: { range: (/** @type {any} */ _plot, /** @type {number} */ _least, /** @type {number} */ most) => [0, Math.max(1, most * 1.15)] },
      },
      axes: [
        { ...this.#axis(), size: 28, space: 80, values: (/** @type {any} */ _plot, /** @type {number[]} */ ticks) => ticks.map(writeTime) },
        { ...this.#axis(), size: 56, incrs: STEPS, values: (/** @type {any} */ _plot, /** @type {number[]} */ ticks) => ticks.map((tick) => formatNumber(tick)) },
      ],
      series: [{}, ...Array.from({ length: lines }, (_, line) => this.#line(line))],
      hooks: { setCursor: [(/** @type {any} */ plot) => this.#showTip(plot.cursor.idx)] },
    };
  }

  /** @param {number} line */
  #line(line) {
    const card = /** @type {HTMLElement} */ (this.#element.parentElement);
    const mark = card.querySelectorAll(".chart-mark")[line];
    const stroke = () => getComputedStyle(mark).color;
    return { stroke, width: 2, dash: DASHES[line], points: { show: false } };
  }

  #axis() {
    const style = getComputedStyle(this.#element);
    const stroke = () => style.color;
    const lines = { stroke: () => style.borderTopColor, width: 1 };
    return { stroke, grid: lines, ticks: { show: false }, font: "12px Inter, system-ui, sans-serif" };
  }

  #size() {
    const style = getComputedStyle(this.#element);
    const inside = (/** @type {string[]} */ ...sides) =>
      sides.reduce((sum, side) => sum + parseFloat(style.getPropertyValue(`padding-${side}`)), 0);
    return {
      width: this.#element.clientWidth - inside("left", "right"),
      height: this.#element.clientHeight - inside("top", "bottom"),
    };
  }

  /** @param {number | null | undefined} index of the sample under the pointer */
  #showTip(index) {
    const [seconds, ...lines] = this.#data;
    const second = index == null ? null : seconds[index];
    this.#tip.hidden = second == null;
    if (index == null || second == null) return;
    const values = lines.map((list) => list[index]).map((value) => (value == null ? "–" : formatNumber(value)));
    this.#tip.textContent = [writeTime(second), ...values].join(" · ");
  }
}

/** @param {number} second */
function writeTime(second) {
  const format = new Intl.DateTimeFormat(pageLocale(), { timeStyle: "medium" });
  return format.format(second * 1000);
}
