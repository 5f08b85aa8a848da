/**
 * The list of conversations: who, about what, what was said last, and what is unread.
 */

import { formatAgo, formatMoment } from "../realtime/format.js";
import { ChatApi } from "./api.js";
import { tellsRead } from "./preferences.js";
import { summary } from "./words.js";

/** @typedef {import("./api.js").Session} Session */
/** @typedef {import("./api.js").WireMessage} WireMessage */
/** @typedef {import("./channel.js").Channel} Channel */
/** @typedef {import("./database.js").ChatDatabase} ChatDatabase */

/** One conversation of the list. @typedef {{element: HTMLElement, channel: Channel}} Row */

const list = /** @type {HTMLElement} */ (document.getElementById("conversations"));

export class Roster {
  #userId;
  #database;
  #makeChannel;
  #open;
  #onProblem;
  /** @type {Map<string, Row>} */
  #rows = new Map();

  /**
   * @param {{userId: number, database: ChatDatabase,
   *   makeChannel: (session: Session, onChange: () => void) => Channel, open: Channel | null,
   *   onProblem: () => void}} parts open: the conversation that is shown beside the list; onProblem:
   *   what it should have done could not be done
   */
  constructor({ userId, database, makeChannel, open, onProblem }) {
    this.#userId = userId;
    this.#database = database;
    this.#makeChannel = makeChannel;
    this.#open = open;
    this.#onProblem = onProblem;
    for (const element of list.querySelectorAll(":scope > li")) this.#adopt(/** @type {HTMLElement} */ (element));
  }

  /** Show what this browser has of each, and take in what it has not. */
  async start() {
    for (const row of this.#rows.values()) {
      await this.#show(row);
      // One that fails is shown as it is, and does not keep the others.
      await this.#catchUp(row).catch(reportError);
    }
  }

  /**
   * Somebody opened a channel: the one event that does not say all that its row shows.
   * @param {string} sessionId
   */
  async add(sessionId) {
    if (this.#rows.has(sessionId)) return;
    const session = await new ChatApi(sessionId).session();
    if (this.#rows.has(sessionId)) return;
    const element = makeRow(session, this.#userId);
    list.prepend(element);
    const empty = document.getElementById("no-conversations");
    if (empty !== null) empty.hidden = true;
    await this.#show(this.#adopt(element));
  }

  /**
   * @param {{sessionId: string, version: number}} fact
   * @param {Partial<Session>} changes
   */
  change({ sessionId, version }, changes) {
    const channel = this.#rows.get(sessionId)?.channel ?? this.#ofOpen(sessionId);
    if (channel === null || version <= channel.session.version) return;
    const told = { ...changes, version };
    // Keys are made where the conversation is looked at, and nowhere else.
    if (channel !== this.#open) channel.note({ ...channel.session, ...told });
    else if (changes.status === "waiting") void channel.follow(told).catch(this.#onProblem);
    else void channel.adopt(told).catch(this.#onProblem);
  }

  /** @param {{sessionId: string, role: string, epoch: number, version: number}} fact */
  noteKey(fact) {
    void this.#ofOpen(fact.sessionId)?.noteKey(fact).catch(this.#onProblem);
  }

  /** @param {WireMessage} message */
  async receive(message) {
    const row = this.#rows.get(message.sessionId);
    const channel = row?.channel ?? this.#ofOpen(message.sessionId);
    if (channel === null) return;
    if (channel === this.#open || (await channel.hasKeys())) await channel.receive(message);
    if (row !== undefined) {
      list.prepend(row.element);
      await this.#show(row, message.sentAt);
    }
    if (channel !== this.#open) await channel.acknowledge({ tellsRead: tellsRead() });
  }

  /** @param {{channel: string, userId: number, state: "here" | "away"}} fact */
  showPresence({ channel, userId, state }) {
    const row = this.#rows.get(channel.replace(/^chat\./, ""));
    if (row === undefined || userId !== row.channel.peerId) return;
    const avatar = /** @type {HTMLElement} */ (row.element.querySelector(".avatar"));
    avatar.dataset.presence = state;
    const words = /** @type {HTMLElement} */ (row.element.querySelector("[data-here]"));
    words.hidden = state !== "here";
  }

  /** @param {{sessionId: string, upToSeq: number}} fact */
  async forget({ sessionId, upToSeq }) {
    const row = this.#rows.get(sessionId);
    await (row?.channel ?? this.#ofOpen(sessionId))?.forget(upToSeq);
    if (row !== undefined) await this.#show(row);
  }

  /** @param {string} sessionId */
  #ofOpen(sessionId) {
    return this.#open?.session.sessionId === sessionId ? this.#open : null;
  }

  /**
   * @param {HTMLElement} element
   * @returns {Row}
   */
  #adopt(element) {
    /** @type {Session} */
    const session = JSON.parse(element.dataset.session ?? "");
    /** @type {Row} */
    const row = { element, channel: this.#ofOpen(session.sessionId) ?? this.#makeChannel(session, () => {}) };
    row.channel.addListener(() => void this.#show(row));
    this.#rows.set(session.sessionId, row);
    return row;
  }

  /** @param {Row} row */
  async #catchUp({ channel }) {
    if (channel === this.#open || !(await channel.hasKeys())) return;
    const record = await this.#database.channel(channel.session.sessionId);
    if (record === undefined || record.lastSeq >= channel.session.lastSeq) return;
    await channel.catchUp();
    await channel.acknowledge({ tellsRead: tellsRead() });
  }

  /**
   * @param {Row} row
   * @param {string} [latest] when something came that this browser cannot read
   */
  async #show({ element, channel }, latest) {
    const entries = await channel.entries();
    const last = entries.at(-1);
    const unread = await channel.countUnread(entries);
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (element.querySelector(`[data-${name}]`));
    const at = last?.at ?? latest ?? channel.session.lastMessageAt;
    const isJoined = (await channel.epoch()) !== undefined;
    const nothing = isJoined ? gettext("Waiting for the other side") : gettext("Not opened in this browser");
    part("preview").textContent = last === undefined ? nothing : summary(last);
    part("time").textContent = at ? formatAgo(at) : "";
    part("time").title = at ? formatMoment(at) : "";
    part("unread").textContent = String(unread);
    part("unread").hidden = unread === 0;
    part("unread").title = interpolate(ngettext("%s new message", "%s new messages", unread), [unread]);
  }
}

/**
 * @param {Session} session
 * @param {number} userId
 */
function makeRow(session, userId) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("conversation-row"));
  const row = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  const other = userId === session.buyerId ? session.sellerName : session.buyerName;
  const put = (/** @type {string} */ selector, /** @type {string} */ text) => {
    const element = row.querySelector(selector);
    if (element !== null) element.textContent = text;
  };
  put(".avatar", other.slice(0, 1));
  put("strong", other);
  put("[data-product]", session.productTitle);
  const link = /** @type {HTMLAnchorElement} */ (row.querySelector("a"));
  link.href = `/chat/${session.sessionId}`;
  row.dataset.session = JSON.stringify(session);
  return row;
}
