/** The page of one's notifications, live: what comes, and what is read in whatever tab. */

import { isLeaving, leaveList } from "../dashboards/leaving.js";
import { on } from "../realtime/client.js";
import { LiveList } from "../realtime/live-list.js";
import { findObjects, makeNode } from "../realtime/patch.js";
import { idsIn } from "./bell.js";

/** @typedef {import("./bell.js").Notification} Notification */

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const list = element("notifications");
const page = Number(list.dataset.page);
const size = Number(list.dataset.size);
const showsUnreadOnly = "onlyUnread" in list.dataset;
/** How many are unread, from the first event that says so: until then nothing has left the list. */
let unread = NaN;
/** How many came, or were read, on the pages before this one: its rows have moved on by as many. */
let moved = 0;
/** The ids of what was there when the page was rendered: the page may hear of it yet. */
const counted = new Set(idsIn(element("bell").dataset.counted));
const rows = new LiveList(list, {
  pillText: (count) => interpolate(ngettext("%s new", "%s new", count), [count]),
  isBefore,
  onShown: () => {
    trim();
    showRest();
  },
});

/** @param {Notification} notification */
function arrive(notification) {
  element("read-all").hidden = false;
  unread += 1;
  const [present] = findObjects("notification", notification.notificationId, list);
  // It stood on the page already, and what is read after it is yet to come.
  if (present) present.dataset.unread = "";
  else if (page === 1) rows.add(makeRow(notification));
  else if (!counted.has(notification.notificationId)) moved += 1;
  showRest();
}

/** @param {number[]} ids of what was read */
function leaveOrMove(ids) {
  const present = presentRows();
  const first = Number(present[0]?.dataset.id ?? Infinity);
  for (const row of present) if (ids.includes(Number(row.dataset.id))) showRead(row);
  if (showsUnreadOnly && page > 1) moved += ids.filter((id) => id > first).length;
}

/** @param {Notification} notification */
function makeRow(notification) {
  const node = makeNode("notification", { ...notification, id: notification.notificationId });
  node.dataset.created = notification.createdAt;
  /** @type {HTMLAnchorElement} */ (node.querySelector(".told-link")).href = notification.url;
  return node;
}

/** @param {HTMLElement} row */
function showRead(row) {
  const button = row.querySelector("button");
  if (button === document.activeElement) {
    // It goes. Whoever uses the keyboard goes on from beside it.
    const link = /** @type {HTMLElement} */ (row.querySelector(".told-link"));
    if (button?.matches(":focus-visible")) link.focus({ preventScroll: true });
    else button?.blur();
  }
  delete row.dataset.unread;
  if (showsUnreadOnly) leaveList(row, showRest);
}

/** @returns {HTMLElement[]} the rows, those that wait to be shown as well, but for those that leave */
function presentRows() {
  const rows = /** @type {HTMLElement[]} */ ([...list.children]);
  return rows.filter((row) => !isLeaving(row));
}

/**
 * @param {HTMLElement} one
 * @param {HTMLElement} other
 */
function isBefore({ dataset: one }, { dataset: other }) {
  if (one.created === other.created) return Number(one.id) > Number(other.id);
  return (one.created ?? "") > (other.created ?? "");
}

/** A page holds so many; what is beyond stands on the next. */
function trim() {
  const beyond = presentRows().slice(size);
  for (const row of beyond) leaveList(row);
  if (beyond.length > 0) element("older").hidden = false;
}

/** How many rows are missing, which are unread and would stand here if the page were loaded now. */
function countMissing() {
  if (!showsUnreadOnly || isNaN(unread)) return 0;
  const last = Math.max(1, Math.ceil(unread / size));
  const before = (Math.min(page, last) - 1) * size;
  return Math.max(0, Math.min(size, unread - before) - presentRows().length);
}

/** Say what stands beside the rows: that there is none, where others are, what is to be had anew. */
function showRest() {
  const missing = countMissing();
  const isEmpty = list.children.length === 0;
  list.hidden = isEmpty;
  element("no-notifications").hidden = !isEmpty || missing > 0;
  if (showsUnreadOnly && !isNaN(unread)) {
    element("pages").hidden = unread === 0;
    element("older").hidden = unread <= page * size;
  }
  const pill = element("changes");
  pill.hidden = missing + moved === 0;
  pill.textContent = missing > 0 ? wordsForMissing(missing) : wordsForMoved(moved);
}

/** @param {number} count */
function wordsForMissing(count) {
  return interpolate(ngettext("%s more, show", "%s more, show", count), [count]);
}

/** @param {number} count */
function wordsForMoved(count) {
  return interpolate(ngettext("%s change, show", "%s changes, show", count), [count]);
}

element("changes").addEventListener("click", () => location.reload());
on("notification", ({ data }) => arrive(data));
on("notification-read", ({ data: { notificationIds, unread: left } }) => {
  unread = left;
  element("read-all").hidden = left === 0;
  if (notificationIds !== "all") leaveOrMove(notificationIds);
  else presentRows().forEach(showRead);
  if (left === 0 && showsUnreadOnly) moved = 0;
  showRest();
});
// A dialog's form is as at first when it has closed: at first means as it was saved.
element("preferences").addEventListener("fetched", (event) => {
  const { target, detail } = /** @type {CustomEvent} */ (event);
  for (const field of /** @type {HTMLFormElement} */ (target).elements) {
    const { name } = /** @type {HTMLInputElement} */ (field);
    if (name in detail.body) /** @type {HTMLInputElement} */ (field).defaultChecked = detail.body[name];
  }
});
