/** The page of one's notifications, live: what comes, and what is read in whatever tab. */

import { leaveList } from "../dashboards/leaving.js";
import { on } from "../realtime/client.js";
import { LiveList } from "../realtime/live-list.js";
import { findObjects, makeNode } from "../realtime/patch.js";

/** @typedef {import("./bell.js").Notification} Notification */

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const list = element("notifications");
const { page, size = "" } = list.dataset;
const showsUnreadOnly = "onlyUnread" in list.dataset;
const rows = new LiveList(list, {
  pillText: (count) => interpolate(ngettext("%s new", "%s new", count), [count]),
  isBefore,
  onShown: trim,
});

/** @param {Notification} notification */
function arrive(notification) {
  element("read-all").hidden = false;
  const [present] = findObjects("notification", notification.notificationId, list);
  // It stood on the page already, and what is read after it is yet to come.
  if (present) present.dataset.unread = "";
  else if (page === "1") rows.add(makeRow(notification));
  showWhetherEmpty();
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
  if (showsUnreadOnly) leaveList(row, showWhetherEmpty);
}

/** @returns {HTMLElement[]} */
function allRows() {
  return /** @type {HTMLElement[]} */ ([...list.children]);
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
  const beyond = allRows().slice(Number(size));
  for (const row of beyond) leaveList(row);
  if (beyond.length > 0) element("older").hidden = false;
}

function showWhetherEmpty() {
  const isEmpty = list.children.length === 0;
  list.hidden = isEmpty;
  element("no-notifications").hidden = !isEmpty;
}

on("notification", ({ data }) => arrive(data));
on("notification-read", ({ data: { notificationIds, unread } }) => {
  element("read-all").hidden = unread === 0;
  for (const row of allRows()) {
    if (notificationIds === "all" || notificationIds.includes(Number(row.dataset.id))) showRead(row);
  }
});
// A dialog's form is as at first when it has closed: at first means as it was saved.
element("preferences").addEventListener("fetched", (event) => {
  const { target, detail } = /** @type {CustomEvent} */ (event);
  for (const field of /** @type {HTMLFormElement} */ (target).elements) {
    const { name } = /** @type {HTMLInputElement} */ (field);
    if (name in detail.body) /** @type {HTMLInputElement} */ (field).defaultChecked = detail.body[name];
  }
});
