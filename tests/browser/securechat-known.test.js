// What the protocol has said once it must always say: the Python peer reads the same file.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { play } from "./securechat-known.js";

test("a conversation of known random numbers is what it was", async () => {
  const file = new URL("../securechat/known-answers.json", import.meta.url);
  assert.deepEqual(await play(), JSON.parse(await readFile(file, "utf8")));
});
