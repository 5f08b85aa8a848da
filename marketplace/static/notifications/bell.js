/**
 * The bell in the header: how much is unread, in every tab at once. What comes becomes a toast, and
 * what leads to the page that is open is read by that.
 */

import { callApi } from "../forms.js";
import { on } from "../realtime/client.js";
import { toast } from "../toasts.js";
import { Unread } from "./unread.js";

/** @typedef {{notificationId: number, kind: string, title: string, text: string, url: string, createdAt: string}} Notification */

/** A screen reader hears the count when it has settled. */
const SETTLED_MS = 1_000;

/** Listen, on pages with a bell. */
export function followNotifications() {
  const bell = document.getElementById("bell");
  if (bell === null) return;
  const unread = new Unread(Number(bell.dataset.unread), idsIn(bell.dataset.counted));
  const here = new Set(idsIn(bell.dataset.here));
  on("notification", ({ data }) => {
    unread.arrive(data.notificationId);
    show(unread);
    tell(data);
    if (leadsHere(data)) here.add(data.notificationId);
    readHere(here);
  });
  on("notification-read", ({ data: { notificationIds, unread: left } }) => {
    unread.read(left);
    show(unread);
    if (notificationIds === "all") here.clear();
    else for (const id of notificationIds) here.delete(id);
  });
  document.addEventListener("visibilitychange", () => readHere(here));
  readHere(here);
}

/** @param {string} [text] ids with blanks between them */
export function idsIn(text = "") {
  return (text.match(/\d+/g) ?? []).map(Number);
}

/** @param {Notification} notification */
function leadsHere({ url }) {
  return url.split("#")[0] === location.pathname;
}

/**
 * What leads to this page is read when somebody sees the page. Other tabs hear of it by the event.
 * @param {Set<number>} here ids of what leads here and is unread
 */
function readHere(here) {
  if (here.size === 0 || document.visibilityState !== "visible") return;
  here.clear();
  // Without an answer it stays unread, until the page is looked at again.
  callApi("/api/notifications/read-all", { json: { url: location.pathname } }).catch(() => {});
}

/** @param {Notification} notification */
function tell(notification) {
  // Nobody looks at a tab in the background: a tab that is looked at says it, and the bell of each.
  if (document.visibilityState !== "visible") return;
  const action = leadsHere(notification) ? undefined : { label: gettext("Show"), href: notification.url };
  toast({ text: notification.title, action });
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let settling = undefined;

/** @param {Unread} unread */
function show({ count, text }) {
  const words = count === 0 ? gettext("Notifications") : wordsFor(count, text);
  const figure = /** @type {HTMLElement} */ (document.getElementById("bell-count"));
  figure.textContent = text;
  figure.hidden = count === 0;
  say("bell-words", words);
  clearTimeout(settling);
  settling = setTimeout(() => say("bell-news", words), SETTLED_MS);
}

/**
 * @param {number} count
 * @param {string} text
 */
function wordsFor(count, text) {
  return interpolate(ngettext("Notifications, %s unread", "Notifications, %s unread", count), [text]);
}

/**
 * @param {string} id
 * @param {string} text
 */
function say(id, text) {
  const element = /** @type {HTMLElement} */ (document.getElementById(id));
  element.textContent = text;
}
