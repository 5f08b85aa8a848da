/**
 * The state of the event stream in the header, and what a page does when its login has ended or
 * its data has to be loaded anew.
 */

import { connect, disconnect, on } from "./realtime/client.js";
import { formatMoment } from "./realtime/format.js";
import { toast } from "./toasts.js";

/** @typedef {import("./realtime/client.js").Connection} Connection */

/** A short cut is nobody's business. */
const QUIET_MS = 2_000;
/** After so long the page says how old it is. */
const OLD_MS = 20_000;

/**
 * What the header says.
 * @param {Connection} connection
 * @param {number} now
 * @returns {"live" | "reconnecting" | "offline" | "logged-out" | null} null: as before, or nothing
 */
export function headerState({ state, since }, now) {
  if (state === "live" || state === "logged-out") return state;
  if (state === "offline") return "offline";
  if (state === "idle" || now - since < QUIET_MS) return null;
  return now - since < OLD_MS ? "reconnecting" : "offline";
}

/** Connect this page, and show how that goes. */
export function showConnection() {
  const element = document.getElementById("connection");
  /** @type {ReturnType<typeof setTimeout>[]} */
  let timers = [];
  on("connection", (/** @type {Connection} */ connection) => {
    const show = () => element && write(element, connection);
    for (const timer of timers) clearTimeout(timer);
    timers = [QUIET_MS, OLD_MS].map((after) => setTimeout(show, after + 10));
    show();
    if (connection.state === "logged-out") leaveForLogin();
  });
  // The login ends with the page that logs out: that is no news to it.
  document.addEventListener("submit", ({ target }) => {
    if (/** @type {HTMLElement} */ (target).matches("[data-logs-out]")) disconnect();
  });
  connect({ onReset: loadAnew });
}

/**
 * @param {HTMLElement} element
 * @param {Connection} connection
 */
function write(element, connection) {
  const state = headerState(connection, Date.now());
  if (connection.state === "idle") element.hidden = true;
  if (state === null) return;
  const at = formatMoment(new Date(connection.heardAt), "time");
  element.hidden = false;
  element.dataset.state = state;
  element.textContent = {
    live: pgettext("connection", "Live"),
    reconnecting: gettext("Reconnecting…"),
    offline: interpolate(gettext("Offline · as of %s"), [at]),
    "logged-out": gettext("Logged out"),
  }[state];
}

/** The login has ended elsewhere: nothing of it stays on the screen, unless it would be lost. */
function leaveForLogin() {
  const { dataset } = document.body;
  if (!("userId" in dataset)) return;
  const next = encodeURIComponent(location.pathname + location.search);
  const href = `${dataset.loginPage}?next=${next}`;
  if (!isBeingEdited()) return location.assign(href);
  toast({
    text: gettext("You are logged out. What you typed is not saved yet."),
    tone: "caution",
    action: { label: gettext("Log in"), href },
    stays: true,
  });
}

/** Takes away what loadAnew() said before. */
let unsay = () => {};

/** @param {() => boolean} reload */
function loadAnew(reload) {
  if (!isBeingEdited() && reload()) return;
  unsay();
  unsay = toast({
    text: gettext("This page is no longer up to date."),
    tone: "caution",
    action: { label: gettext("Load it anew"), onPress: () => location.reload() },
    stays: true,
  });
}

/** Whether something was typed that a new page would lose. */
function isBeingEdited() {
  const fields = document.querySelectorAll("form:not(.search) :is(input:not([type=hidden]), textarea)");
  return [...fields].some((field) => {
    const { value, defaultValue, type } = /** @type {HTMLInputElement} */ (field);
    return !["radio", "checkbox", "file"].includes(type) && value !== defaultValue;
  });
}
