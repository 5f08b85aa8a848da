/**
 * The page of secure conversations: the list, the open one beside it, and the events of all.
 */

import { on, subscribe } from "../realtime/client.js";
import { ChatApi } from "./api.js";
import { Channel } from "./channel.js";
import { openDatabase } from "./database.js";
import { Pane } from "./pane.js";
import { Roster } from "./roster.js";

/** @typedef {import("./api.js").Session} Session */

const userId = Number(document.body.dataset.userId);
const pane = document.getElementById("pane");

if (!globalThis.isSecureContext || !("locks" in navigator)) {
  showProblem(gettext("This needs an encrypted connection (https): without it no browser gives a page the means to encrypt."));
} else {
  void start();
}

async function start() {
  let database;
  try {
    database = await openDatabase(String(userId));
  } catch {
    showProblem(gettext("This browser keeps nothing for this page (a private window?): without that there are no keys."));
    return;
  }
  const makeChannel = (/** @type {Session} */ session, /** @type {() => void} */ onChange) =>
    new Channel({ database, api: new ChatApi(session.sessionId), session, userId, onChange });
  const open = pane === null ? null : new Pane(pane, userId, makeChannel);
  const roster = new Roster({
    userId,
    database,
    makeChannel,
    open: open?.channel ?? null,
    onProblem: () => open?.noteProblem(),
  });
  // Keys that a browser throws away for want of room cost a conversation its history.
  void navigator.storage?.persist?.();
  listen(roster, open);
  await Promise.all([roster.start(), open?.start()]);
}

/**
 * @param {Roster} roster
 * @param {Pane | null} open
 */
function listen(roster, open) {
  on("dh-session-created", ({ data }) => void roster.add(data.sessionId).catch(reportError));
  on("dh-session-rekeyed", ({ data }) => {
    const keys = { buyer: null, seller: null };
    roster.change(data, { epoch: data.epoch, status: "waiting", keys });
  });
  on("dh-session-closed", ({ data }) => roster.change(data, { epoch: data.epoch, status: "closed" }));
  on("dh-key-submitted", ({ data }) => roster.noteKey(data));
  on("dh-session-active", ({ data }) => {
    roster.change(data, { epoch: data.epoch, status: "active", keys: data.keys });
  });
  on("chat-message", ({ data }) => void roster.receive(data).catch(() => open?.noteProblem()));
  on("dh-messages-deleted", ({ data }) => void roster.forget(data).catch(reportError));
  on("chat-typing", ({ data }) => open?.showTyping(data));
  on("presence", ({ data }) => {
    roster.showPresence(data);
    open?.showPresence(data);
  });
  if (open !== null) {
    const channel = `chat.${open.channel.session.sessionId}`;
    // To be seen here, too: whoever listens to the channel is there.
    subscribe(channel);
    on("subscribed", ({ data }) => {
      // Whoever is there is named next.
      if (data.channel === channel) open.showHere(false);
    });
  }
  on("connection", ({ state }) => state === "live" && void open?.comeBack());
}

/** @param {string} text why nothing can be done here */
function showProblem(text) {
  const status = document.getElementById("status");
  const words = document.getElementById("status-text");
  if (status === null || words === null) return;
  status.dataset.phase = "problem";
  words.textContent = text;
}
