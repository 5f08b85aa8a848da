/** Who of the order's two looks at it now: the other one, and for staff both. */

import { on } from "../realtime/client.js";

const lines = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-looks]"));

/** @param {string} channel of the order */
export function showWhoLooks(channel) {
  const forgetEverybody = () => {
    for (const line of lines) line.hidden = true;
  };
  // Whoever is there is named next.
  on("subscribed", ({ data }) => data.channel === channel && forgetEverybody());
  // Without a stream nobody says who leaves. The next one begins with who is there.
  on("connection", ({ state }) => state !== "live" && forgetEverybody());
  on("presence", ({ data }) => {
    if (data.channel !== channel) return;
    for (const line of lines) {
      if (line.dataset.looks === String(data.userId)) line.hidden = data.state !== "here";
    }
  });
}
