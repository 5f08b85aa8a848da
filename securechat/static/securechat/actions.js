/** What can be done with a conversation beside writing: each asks once where it cannot be undone. */

import { toast } from "../toasts.js";
import { save } from "./files.js";
import { summary } from "./words.js";

/** @typedef {import("./api.js").ChatApi} ChatApi */
/** @typedef {import("./channel.js").Channel} Channel */
/** @typedef {import("./database.js").Entry} Entry */

const MOST_REVEALED = 50;
/** What a report may reveal at once: less than a request may hold. */
const MOST_CHARACTERS = 200_000;

/** @param {{channel: Channel, api: ChatApi, otherName: string}} parts */
export function offerActions({ channel, api, otherName }) {
  const menu = /** @type {HTMLElement} */ (document.getElementById("actions"));
  /** @type {Record<string, () => Promise<unknown>>} */
  const actions = {
    export: () => exportCopy(channel, otherName),
    rekey: () => channel.rekey(),
    close: async () => channel.adopt(await api.tell("close")),
    delete: () => api.deleteMessages(),
    block: async () => channel.adopt(await api.tell("block")),
    unblock: async () => channel.adopt(await api.tell("unblock")),
    report: () => openReport(channel),
  };
  menu.addEventListener("click", ({ target }) => {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest("[data-action]"));
    const name = button?.dataset.action;
    if (name === undefined) return;
    menu.closest("details")?.removeAttribute("open");
    const perform = () => void attempt(actions[name]);
    const question = questionOf(name, otherName);
    if (question === null) perform();
    else ask(question, perform);
  });
  listenToReport(api, otherName);
}

/**
 * @param {string} name of an action
 * @param {string} otherName
 * @returns {{title: string, text: string, yes: string} | null} null where nothing is asked
 */
function questionOf(name, otherName) {
  switch (name) {
    case "close":
      return {
        title: gettext("Close the channel?"),
        text: gettext("Nobody can write until one of you opens it again. What was written stays."),
        yes: gettext("Close it"),
      };
    case "delete":
      return {
        title: gettext("Delete all messages?"),
        text: interpolate(gettext("They go here and at %s, and cannot be brought back."), [otherName]),
        yes: gettext("Delete all"),
      };
    case "block":
      return {
        title: interpolate(gettext("Block %s?"), [otherName]),
        text: gettext("Neither of you can write to the other, in any conversation, until you unblock."),
        yes: pgettext("chat", "Block"),
      };
    default:
      return null;
  }
}

/**
 * @param {{title: string, text: string, yes: string}} question
 * @param {() => void} perform
 */
function ask({ title, text, yes }, perform) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("ask"));
  const part = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
  part("ask-title").textContent = title;
  part("ask-text").textContent = text;
  part("ask-yes").textContent = yes;
  part("ask-yes").onclick = () => {
    dialog.close();
    perform();
  };
  dialog.showModal();
}

/** @param {() => Promise<unknown>} action */
async function attempt(action) {
  try {
    await action();
  } catch (error) {
    const text = /** @type {Error} */ (error).message || gettext("No answer came. Try again.");
    toast({ text, tone: "critical" });
  }
}

/**
 * Save what this browser has of the conversation, readable.
 * @param {Channel} channel
 * @param {string} otherName
 */
async function exportCopy(channel, otherName) {
  const entries = await channel.entries();
  const copy = entries.map(({ from, kind, content, at }) => {
    const { text, name, size } = content;
    return { from: from === "them" ? otherName : from, kind, at, text, name, size };
  });
  const { sessionId, productTitle } = channel.session;
  const json = JSON.stringify({ sessionId, product: productTitle, with: otherName, entries: copy }, null, 2);
  const blob = new Blob([json], { type: "application/octet-stream" });
  save(URL.createObjectURL(blob), `${otherName}-${sessionId.slice(0, 8)}.json`);
}

/** @param {Channel} channel */
async function openReport(channel) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("report"));
  const list = /** @type {HTMLElement} */ (document.getElementById("report-messages"));
  const theirs = (await channel.entries()).filter(({ from, seq }) => from === "them" && seq !== null);
  list.replaceChildren(...theirs.slice(-MOST_REVEALED).map(makeChoice));
  dialog.showModal();
}

/** @param {Entry} entry */
function makeChoice(entry) {
  const node = document.createElement("li");
  const label = document.createElement("label");
  label.className = "check";
  const box = document.createElement("input");
  box.type = "checkbox";
  box.dataset.seq = String(entry.seq);
  const words = document.createElement("span");
  words.textContent = entry.kind === "text" ? entry.content.text : summary(entry);
  label.append(box, words);
  node.append(label);
  return node;
}

/**
 * @param {ChatApi} api
 * @param {string} otherName
 */
function listenToReport(api, otherName) {
  const form = /** @type {HTMLFormElement} */ (document.getElementById("report-form"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = [.../** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[data-seq]:checked"))];
    const plaintexts = chosen.map((box) => box.nextElementSibling?.textContent ?? "");
    if (plaintexts.join("").length > MOST_CHARACTERS) {
      toast({ text: gettext("This is too much for one report. Choose fewer messages."), tone: "caution" });
      return;
    }
    void attempt(async () => {
      await api.report({
        seqs: chosen.map(({ dataset }) => Number(dataset.seq)),
        plaintexts,
        reason: String(new FormData(form).get("reason")),
      });
      form.closest("dialog")?.close();
      form.reset();
      document.getElementById("report-messages")?.replaceChildren();
      toast({ text: interpolate(gettext("The staff have your report about %s."), [otherName]), tone: "positive" });
    });
  });
}
