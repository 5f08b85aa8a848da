/** Shows what is in a seller's book: the four figures, their sparklines, and the hours of today. */

import { formatNumber } from "../realtime/format.js";
import { showText } from "../realtime/patch.js";
import { barHeights, sparkArea, sparkLine, sparkValues, writeFigures } from "./figures.js";

/** @typedef {import("./book.js").Book} Book */

const HOUR_MS = 3_600_000;
const LOOK_AT_CLOCK_MS = 15_000;

export class Stats {
  #book;
  #isScheduled = false;

  /** @param {Book} book */
  constructor(book) {
    this.#book = book;
    // The day ends, and the present hour with it, without any event.
    setInterval(() => this.#show(), LOOK_AT_CLOCK_MS);
  }

  /** Show the book as it is now; what many events of one moment change is reckoned once. */
  refresh() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setTimeout(() => {
      this.#isScheduled = false;
      this.#show();
    });
  }

  #show() {
    const now = Date.now();
    this.#book.turnTo(now);
    const figures = this.#book.reckon();
    const texts = writeFigures(figures);
    for (const element of document.querySelectorAll("[data-figure]")) {
      const figure = /** @type {HTMLElement} */ (element);
      const text = texts[figure.dataset.figure ?? ""];
      figure.hidden = text === "";
      showText(figure, text);
    }
    for (const [stat, values] of Object.entries(sparkValues(figures))) {
      const spark = document.querySelector(`[data-stat="${stat}"] .stat-spark`);
      spark?.querySelector(".spark-line")?.setAttribute("d", sparkLine(values));
      spark?.querySelector(".spark-area")?.setAttribute("d", sparkArea(values));
    }
    showHours(figures.hours, this.#book.today, now);
  }
}

/**
 * @param {number[]} counts
 * @param {number} today its beginning, ms since the epoch
 * @param {number} now
 */
function showHours(counts, today, now) {
  const heights = barHeights(counts);
  const list = /** @type {HTMLElement} */ (document.getElementById("hours"));
  for (const [number, hour] of [...list.children].entries()) {
    const begins = today + number * HOUR_MS;
    hour.toggleAttribute("data-now", begins <= now && now < begins + HOUR_MS);
    const count = /** @type {HTMLElement} */ (hour.querySelector(".hour-count"));
    count.hidden = counts[number] === 0;
    showText(count, formatNumber(counts[number]));
    const bar = hour.querySelector("rect");
    bar?.setAttribute("height", `${heights[number]}%`);
    bar?.setAttribute("y", `${100 - heights[number]}%`);
  }
}
