/**
 * Says above a list, which the server rendered, how many of its objects have changed since.
 *
 *     <div id="changes" data-events='{"order-created": "order.id"}' data-user-id="7" data-login="…">
 *       <p role="status"></p>
 *       <button type="button" hidden>Show</button>
 *     </div>
 *
 * data-events: the types that count, and where in their data the object's id stands, or with
 * "products.*.id" the ids of many; data-channels: the channels to ask for, with blanks between them.
 */

import { connect, on, subscribe } from "./client.js";
import { valuesAt } from "./fields.js";

const bar = /** @type {HTMLElement} */ (document.getElementById("changes"));
const text = /** @type {HTMLElement} */ (bar.querySelector("[role=status]"));
const button = /** @type {HTMLButtonElement} */ (bar.querySelector("button"));
const PAUSE_MS = 250;
/** @type {Set<number>} */
const changed = new Set();
/** What happened is not known any more, so nothing is counted. */
let isOutdated = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

for (const [type, path] of Object.entries(JSON.parse(bar.dataset.events ?? "{}"))) {
  on(type, (event) => {
    for (const id of valuesAt(event.data, path)) changed.add(id);
    // A hundred events may come in a second.
    timer ??= setTimeout(show, PAUSE_MS);
  });
}
for (const channel of (bar.dataset.channels ?? "").split(" ").filter(Boolean)) subscribe(channel);
button.addEventListener("click", () => location.reload());
// Tabs share a stream by what stands at the body, whose attributes no template of the admin sets.
Object.assign(document.body.dataset, { userId: bar.dataset.userId, login: bar.dataset.login });
connect({
  // The rows that somebody ticked would be lost if the page loaded itself anew.
  onReset: () => {
    isOutdated = true;
    show();
  },
});

function show() {
  timer = undefined;
  const count = changed.size;
  text.textContent = isOutdated
    ? gettext("This list is no longer up to date.")
    : interpolate(ngettext("%s changed.", "%s changed.", count), [count]);
  button.hidden = false;
  bar.dataset.shown = "";
}
