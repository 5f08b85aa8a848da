/**
 * How one [data-field] shows a value of a payload. data-as says in which form:
 *
 * | data-as  | element            | shows |
 * |----------|--------------------|-------|
 * | (none)   | any                | the text; hidden when there is none |
 * | number   | any                | 1,204 |
 * | money    | any                | in the payload's currency |
 * | moment, ago | time            | as {% moment %} and {% ago %} |
 * | level    | .level             | the badge of a stock |
 * | bar      | .level-bar         | the bar of a stock |
 * | image    | img                | as src; hidden when there is none |
 * | link     | a, form            | data-pattern with {id} replaced, as href or action |
 * | value    | input, select      | as value, unless somebody is typing in it |
 */

import { formatMoney, formatNumber, levelShare, levelWord, writeTime } from "./format.js";

/** @typedef {Record<string, any>} Payload */

/** @type {Record<string, (element: any, value: any, payload: Payload) => void>} */
const WRITERS = {
  text: (element, value) => {
    element.textContent = value ?? "";
    element.hidden = value === null || value === undefined || value === "";
  },
  number: (element, value) => {
    element.textContent = formatNumber(value);
  },
  money: (element, value, payload) => {
    element.textContent = formatMoney(value, payload.currency);
  },
  moment: writeMoment,
  ago: writeMoment,
  level: (element, value) => {
    element.dataset.level = value;
    element.textContent = levelWord(value);
  },
  bar: (element, _value, payload) => {
    element.dataset.level = payload.level;
    element.querySelector("rect").setAttribute("width", `${levelShare(payload)}%`);
  },
  image: (element, value) => {
    element.hidden = !value;
    // Set again, it would be asked for again.
    if (value && element.getAttribute("src") !== value) element.src = value;
    if (!value) element.removeAttribute("src");
  },
  link: (element, value) => {
    const address = element.dataset.pattern.replace("{id}", encodeURIComponent(value));
    element.setAttribute(element instanceof HTMLFormElement ? "action" : "href", address);
  },
  value: (element, value) => {
    // As a textarea has its lines; the admin's forms send them with CRLF.
    const text = String(value ?? "").replaceAll("\r\n", "\n");
    // What somebody types stays; the form knows by the version that it is old.
    if (element !== document.activeElement && element.value === element.defaultValue) {
      element.value = text;
    }
    element.defaultValue = text;
  },
};

/**
 * @param {HTMLTimeElement} element
 * @param {string | null} value
 */
function writeMoment(element, value) {
  element.hidden = !value;
  element.dateTime = value ?? "";
  writeTime(element);
}

/**
 * Show what the payload says in one field, if it says anything of it.
 * @param {HTMLElement} element
 * @param {Payload} payload
 * @returns {boolean} whether the field shows something else now
 */
export function writeField(element, payload) {
  const { field = "", as = "text" } = element.dataset;
  const value = valueAt(payload, field);
  if (value === undefined) return false;
  const before = appearance(element);
  WRITERS[as](element, value, payload);
  return appearance(element) !== before;
}

/**
 * @param {Payload} payload
 * @param {string} path "price", "shippingAddress.city"
 */
export function valueAt(payload, path) {
  return path.split(".").reduce((value, name) => value?.[name], /** @type {any} */ (payload));
}

/**
 * The values at a path that may go through a list.
 * @param {Payload} payload
 * @param {string} path "product.id", or "products.*.id" for the id of each
 * @returns {any[]}
 */
export function valuesAt(payload, path) {
  const [list, ofEach] = path.split(".*.");
  const value = valueAt(payload, list);
  return ofEach === undefined ? [value] : value.map((/** @type {Payload} */ each) => valueAt(each, ofEach));
}

/** @param {any} element */
function appearance(element) {
  const { dataset, hidden, textContent, value } = element;
  const width = element.querySelector(":scope > rect")?.getAttribute("width");
  return [textContent, dataset.level, hidden, value, width, element.getAttribute("src")].join("\0");
}
