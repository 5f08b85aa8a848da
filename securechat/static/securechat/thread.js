/**
 * The conversation on the page: days, messages, what the browser says. Text is only ever text.
 */

import { makeIcon } from "../icons.js";
import { formatMoment, pageLocale } from "../realtime/format.js";
import { isPicture, plainName } from "./files.js";
import { markWords, missingWords, noticeWords } from "./words.js";

/** @typedef {import("./database.js").Entry} Entry */

/** So many entries are built; earlier ones on request. */
const PAGE = 100;
const NEAR_PX = 80;

export class Thread {
  #list;
  #box;
  #earlier;
  #openFile;
  #sendAgain;
  #most = PAGE;
  #isAtEnd = true;
  /** @type {Entry[]} */
  #entries = [];
  /** By place, with what it was built from. @type {Map<number, {node: HTMLElement, form: string}>} */
  #nodes = new Map();

  /**
   * @param {{openFile: (entry: Entry, button: HTMLElement) => void,
   *   sendAgain: (entry: Entry) => void}} callbacks when a file's button, or that of a message that could
   *   not be sent, is pressed
   */
  constructor({ openFile, sendAgain }) {
    this.#list = /** @type {HTMLElement} */ (document.getElementById("thread"));
    this.#box = /** @type {HTMLElement} */ (document.getElementById("thread-box"));
    this.#earlier = /** @type {HTMLElement} */ (document.getElementById("earlier"));
    this.#openFile = openFile;
    this.#sendAgain = sendAgain;
    this.#earlier.addEventListener("click", () => {
      this.#most += PAGE;
      this.show(this.#entries);
    });
    this.#box.addEventListener("scroll", () => this.#noteEnd(), { passive: true });
    // A warning above takes room, a picture makes it longer: who reads the end goes on reading it.
    const sizes = new ResizeObserver(() => this.#isAtEnd && this.#scrollToEnd());
    for (const element of [this.#box, this.#list]) sizes.observe(element);
  }

  /** Whether its end is in view. */
  get isAtEnd() {
    return this.#isAtEnd;
  }

  #noteEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#box;
    this.#isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  #scrollToEnd() {
    this.#box.scrollTop = this.#box.scrollHeight;
  }

  /** @param {Entry[]} entries in their order */
  show(entries) {
    this.#entries = entries;
    const shown = entries.slice(-this.#most);
    this.#earlier.hidden = shown.length === entries.length;
    /** @type {HTMLElement[]} */
    const nodes = [];
    let day = "";
    for (const entry of shown) {
      const date = formatDay(entry.at);
      if (date !== day) nodes.push(makeDay(date));
      day = date;
      nodes.push(this.#nodeOf(entry));
    }
    this.#list.replaceChildren(...nodes);
    if (this.#isAtEnd) this.#scrollToEnd();
  }

  /** @param {Entry} entry */
  #nodeOf(entry) {
    const form = JSON.stringify([entry.mark, entry.at, entry.seq, entry.missing, entry.kind]);
    const present = this.#nodes.get(entry.place);
    if (present?.form === form) return present.node;
    const node = entry.from === "notice" ? makeNotice(entry) : this.#makeMessage(entry);
    this.#nodes.set(entry.place, { node, form });
    return node;
  }

  /** @param {Entry} entry */
  #makeMessage(entry) {
    const node = document.createElement("li");
    node.className = "message";
    node.dataset.from = entry.from;
    node.dataset.id = entry.id;
    if (entry.missing) node.append(makeLine(missingWords(entry.missing), "caution"));
    if (entry.isUntrusted) node.append(makeLine(gettext("From a key that you had not accepted."), "caution"));
    if (entry.isLate) node.append(makeLine(gettext("This message came late, out of its order."), "caution"));
    const bubble = make("div", "bubble");
    if (entry.kind === "text") bubble.append(make("p", "message-text", entry.content.text));
    else if (entry.kind === "file") bubble.append(this.#makeFile(entry));
    else bubble.append(make("p", "message-text soft", gettext("Something that this page does not know yet.")));
    bubble.append(makeFoot(entry));
    node.append(bubble);
    if (entry.mark === "failed") node.append(this.#makeAgain(entry));
    return node;
  }

  /** @param {Entry} entry */
  #makeAgain(entry) {
    const button = /** @type {HTMLButtonElement} */ (make("button", "button button-small", gettext("Send again")));
    button.type = "button";
    button.addEventListener("click", () => this.#sendAgain(entry));
    return button;
  }

  /** @param {Entry} entry */
  #makeFile(entry) {
    const { name, size, mime } = entry.content;
    const button = /** @type {HTMLButtonElement} */ (make("button", "file"));
    button.type = "button";
    button.append(makeIcon(isPicture(mime) ? "image" : "file-text"));
    const words = make("span", "file-words");
    words.append(make("span", "truncate", plainName(name)), make("span", "small soft", formatSize(size)));
    button.append(words);
    button.addEventListener("click", () => this.#openFile(entry, button));
    return button;
  }
}

/** @param {Entry} entry */
function makeFoot(entry) {
  const foot = make("p", "message-foot small");
  const time = document.createElement("time");
  time.dateTime = entry.at;
  time.textContent = formatMoment(entry.at, "time");
  time.title = formatMoment(entry.at);
  foot.append(time);
  if (entry.from === "me") {
    const { text, icon } = markWords(entry.mark);
    const mark = make("span", "mark");
    mark.dataset.mark = entry.mark;
    mark.title = text;
    mark.append(makeIcon(icon, "small"), make("span", "visually-hidden", text));
    foot.append(mark);
  }
  return foot;
}

/** @param {Entry} entry */
function makeNotice(entry) {
  const { text, tone } = noticeWords(entry);
  const node = make("li", "said");
  node.dataset.kind = entry.kind;
  node.append(makeLine(text, tone));
  return node;
}

/**
 * @param {string} text
 * @param {"plain" | "caution" | "critical"} tone
 */
function makeLine(text, tone) {
  const line = make("p", "said-line small");
  line.dataset.tone = tone;
  const icon = { plain: "lock", caution: "triangle-alert", critical: "shield-alert" }[tone];
  line.append(makeIcon(icon, "small"), make("span", "", text));
  return line;
}

/** @param {string} date */
function makeDay(date) {
  const node = make("li", "day small soft");
  node.append(make("span", "", date));
  return node;
}

/** @param {string} moment */
function formatDay(moment) {
  const format = new Intl.DateTimeFormat(pageLocale(), { weekday: "long", day: "numeric", month: "long" });
  return format.format(new Date(moment));
}

/** @param {number} bytes */
function formatSize(bytes) {
  const isLarge = bytes >= 1024 * 1024;
  const number = bytes / (isLarge ? 1024 * 1024 : 1024);
  const format = new Intl.NumberFormat(pageLocale(), { maximumFractionDigits: isLarge ? 1 : 0 });
  return interpolate(isLarge ? gettext("%s MB") : gettext("%s KB"), [format.format(Math.max(number, 1))]);
}

/**
 * @param {string} tag
 * @param {string} [className]
 * @param {string} [text]
 */
function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  if (text !== "") element.textContent = text;
  return element;
}
