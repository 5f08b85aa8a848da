// A resolver for node: our scripts import one another by the paths of the browser, where the static
// files of all apps stand in one folder ("/static/realtime/patch.js").

import { existsSync } from "node:fs";

const ROOT = new URL("../../", import.meta.url);
const FILE = /^(?:marketplace\/static|([a-z]+)\/static\/\1)\/(.+)$/;

/**
 * @param {string} specifier
 * @param {{parentURL?: string}} context
 * @param {Function} next
 */
export function resolve(specifier, context, next) {
  const { parentURL = "" } = context;
  const importer = parentURL.startsWith(ROOT.href) ? FILE.exec(parentURL.slice(ROOT.href.length)) : null;
  if (!specifier.startsWith(".") || importer === null) return next(specifier, context);
  const [, app, path] = importer;
  const address = new URL(specifier, `http://static/${app ? `${app}/` : ""}${path}`).pathname.slice(1);
  const [first] = address.split("/");
  const own = new URL(`${first}/static/${address}`, ROOT);
  return next(existsSync(own) ? own.href : new URL(`marketplace/static/${address}`, ROOT).href, context);
}
