/**
 * How money, times and stock levels are written for people: the same texts as the server's
 * (marketplace/formats.py), so that a page that patches itself does not change its spelling.
 */

// English pages are written for Europe: 21 Nov 2026, 14:03.
/** @type {Record<string, string>} */
const LOCALES = { en: "en-GB", fr: "fr" };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A bar is full at so many times the threshold under which a stock is low. */
const FULL_BAR_THRESHOLDS = 4;

/**
 * recent: the time of what was today, and date and time of what was before.
 * @typedef {"date" | "time" | "datetime" | "recent"} Style
 */
/** @typedef {"ok" | "few" | "low" | "out"} Level */

/** The locale in which the page is written. */
export function pageLocale() {
  return LOCALES[document.documentElement.lang.split("-")[0]] ?? "en-GB";
}

/**
 * @param {string} amount with a point: "12.50"
 * @param {string} currency ISO 4217
 * @param {string} [locale]
 */
export function formatMoney(amount, currency, locale = pageLocale()) {
  const format = new Intl.NumberFormat(locale, { style: "currency", currency });
  return format.format(Number(amount));
}

/**
 * @param {number} number
 * @param {string} [locale]
 */
export function formatNumber(number, locale = pageLocale()) {
  return new Intl.NumberFormat(locale).format(number);
}

/**
 * @param {string | Date} moment
 * @param {Style} [style]
 * @param {string} [locale]
 * @param {number} [now] milliseconds since the epoch
 */
export function formatMoment(moment, style = "datetime", locale = pageLocale(), now = Date.now()) {
  const date = new Date(moment);
  if (style === "recent") {
    const isToday = date.toDateString() === new Date(now).toDateString();
    return formatMoment(date, isToday ? "time" : "datetime", locale);
  }
  const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(date);
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "short" }).format(date);
  return { date: day, time, datetime: `${day}, ${time}` }[style];
}

/**
 * How long ago a moment was: "now", "4 min ago", and from a week on its date.
 * @param {string | Date} moment
 * @param {number} [now] milliseconds since the epoch
 * @param {string} [locale]
 */
export function formatAgo(moment, now = Date.now(), locale = pageLocale()) {
  const passed = now - new Date(moment).getTime();
  if (passed < MINUTE_MS) return pgettext("moment", "now");
  if (passed >= 7 * DAY_MS) return formatMoment(moment, "date", locale);
  const format = new Intl.RelativeTimeFormat(locale, { style: "short" });
  if (passed < HOUR_MS) return format.format(-Math.floor(passed / MINUTE_MS), "minute");
  if (passed < DAY_MS) return format.format(-Math.floor(passed / HOUR_MS), "hour");
  return format.format(-Math.floor(passed / DAY_MS), "day");
}

/**
 * The word of a stock level.
 * @param {Level} level
 */
export function levelWord(level) {
  return {
    ok: pgettext("stock", "In stock"),
    few: pgettext("stock", "Few left"),
    low: pgettext("stock", "Almost gone"),
    out: pgettext("stock", "Sold out"),
  }[level];
}

/**
 * How full a stock's bar is, in percent: of a tour's places, else of four thresholds.
 * @param {Record<string, any>} product with stock, lowStockThreshold, maxGroupSize
 */
export function levelShare({ stock, lowStockThreshold, maxGroupSize }) {
  const full = maxGroupSize || lowStockThreshold * FULL_BAR_THRESHOLDS;
  if (stock <= 0) return 0;
  // A bar that is not empty shows at least a stroke.
  return stock >= full ? 100 : Math.max(3, Math.floor((stock * 100) / full));
}

/**
 * Write the times below an element in the reader's time zone.
 * @param {ParentNode} root
 */
export function writeTimes(root) {
  for (const time of root.querySelectorAll("time[data-as]")) {
    writeTime(/** @type {HTMLTimeElement} */ (time));
  }
}

/** @param {HTMLTimeElement} time with its moment in datetime */
export function writeTime(time) {
  const { as, style } = time.dataset;
  if (!time.dateTime) return;
  const text =
    as === "ago" ? formatAgo(time.dateTime) : formatMoment(time.dateTime, toStyle(style));
  if (time.textContent !== text) time.textContent = text;
  if (as === "ago") time.title = formatMoment(time.dateTime);
}

/**
 * @param {string | undefined} text
 * @returns {Style}
 */
function toStyle(text) {
  return text === "date" || text === "time" || text === "recent" ? text : "datetime";
}

/** Keep every "4 min ago" of the page true. */
export function keepTimesFresh() {
  writeTimes(document);
  setInterval(() => writeTimes(document), 20_000);
}
