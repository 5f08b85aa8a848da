/**
 * Server-sent events over fetch. EventSource would give up at any status but 200, hide Retry-After
 * and use a spent ticket again.
 */

import { parseRetryAfter } from "./comeback.js";
import { SseParser } from "./sse-parser.js";

/** @typedef {import("./comeback.js").Ending} Ending */

/**
 * An event as it stands on the wire (docs/events.md).
 * @typedef {{id?: number, type: string, timestamp?: string, data?: any}} WireEvent
 */

/**
 * @typedef {object} Attempt
 * @property {URL} url of the stream, with channels, cursor and ticket in its query
 * @property {AbortSignal} signal ends the attempt
 * @property {() => void} onHeard called for every sign of life
 * @property {(event: WireEvent) => void} onEvent
 */

/**
 * Open one stream and stay until it is over.
 * @param {Attempt} attempt
 * @returns {Promise<Ending>} never rejects
 */
export async function openSse({ url, signal, onHeard, onEvent }) {
  try {
    const response = await fetch(url, {
      signal,
      cache: "no-store",
      credentials: "same-origin",
      headers: { Accept: "text/event-stream" },
    });
    onHeard();
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
    if (!response.ok || !isStream || response.body === null) {
      await response.body?.cancel();
      const retryAfter = parseRetryAfter(response.headers.get("retry-after"));
      return { why: "refused", status: response.status, retryAfter };
    }
    return await readAll(response.body, onHeard, onEvent);
  } catch {
    return { why: "lost" };
  }
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @param {() => void} onHeard
 * @param {(event: WireEvent) => void} onEvent
 * @returns {Promise<Ending>}
 */
async function readAll(body, onHeard, onEvent) {
  const parser = new SseParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { why: "lost" };
    onHeard();
    for (const frame of parser.feed(decoder.decode(value, { stream: true }))) {
      const event = JSON.parse(frame.data);
      onEvent(event);
      if (event.type === "closing") return { why: "closing", ...event.data };
    }
  }
}
