/**
 * The same events over a WebSocket, for pages that ask for it.
 */

/** @typedef {import("./comeback.js").Ending} Ending */
/** @typedef {import("./transport-sse.js").Attempt} Attempt */

/** What a close code says when no `closing` came before it. @type {Record<number, Ending>} */
const CLOSE_CODES = {
  4401: { why: "closing", reason: "logged-out", retryAfter: null },
  4403: { why: "closing", reason: "forbidden", retryAfter: null },
  4429: { why: "refused", status: 429, retryAfter: 10_000 },
};

/**
 * Open one WebSocket and stay until it is over.
 * @param {Attempt} attempt
 * @returns {Promise<Ending>} never rejects
 */
export function openWebSocket({ url, signal, onHeard, onEvent }) {
  return new Promise((resolve) => {
    const address = new URL(url);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    /** @type {Ending | null} */
    let ending = null;
    signal.addEventListener("abort", () => {
      socket.close();
      // A close handshake with a dead server would last: what still comes is no longer ours.
      socket.onmessage = null;
      resolve({ why: "lost" });
    });
    socket.onmessage = (message) => {
      onHeard();
      const event = JSON.parse(message.data);
      if (event.type === "ping") {
        socket.send('{"type":"pong"}');
        onEvent({ ...event, type: "heartbeat" });
        return;
      }
      if (event.type === "closing") ending = { why: "closing", ...event.data };
      onEvent(event);
    };
    socket.onopen = onHeard;
    socket.onclose = ({ code }) => resolve(ending ?? CLOSE_CODES[code] ?? { why: "lost" });
  });
}
