// The main part of a page as indented lines of elements, attributes and texts.
//
// Left out: what marks life (tints, arrivals, pills), what only the page keeps (versions, tokens),
// and how long ago something was. [data-law="unordered"] has its children by id, and what is inside
// [data-law="aside"] is not compared.
() => {
  const PASSING = "script, template, .pill, .pill-slot:not(.changes), [data-gone], [data-withdrawn], [name=csrfmiddlewaretoken], [data-law=aside]";
  const UNSEEN = new Set([
    "class", "style", "title", "data-arrived", "data-changed", "data-version", "data-stock-version",
    "data-busy", "aria-busy", "data-law", "data-goes-on",
  ]);

  const describe = (node) => {
    if (node.hidden) return `${node.localName} ${node.id} hidden`;
    const attributes = [...node.attributes]
      .filter(({ name }) => !UNSEEN.has(name))
      .map(({ name, value }) => `${name}=${name === "data-product" ? sorted(value) : time(node, name, value)}`)
      .sort();
    if (node.className && typeof node.className === "string") attributes.unshift(`.${node.className.trim()}`);
    if ("defaultValue" in node) attributes.push(`shows=${node.value}`);
    return [node.localName, ...attributes].join(" ");
  };
  // The server writes microseconds, events milliseconds. Of a clock's time only the text counts.
  const time = (node, name, value) => {
    if (name !== "datetime" || value === "") return value;
    return ["time", "recent"].includes(node.dataset.style) ? "" : new Date(value).toISOString();
  };
  const sorted = (json) => {
    const { version, stockVersion, updatedAt, ...rest } = JSON.parse(json);
    return JSON.stringify(Object.entries(rest).sort(([one], [other]) => (one < other ? -1 : 1)));
  };
  const children = (node) => {
    const all = [...node.childNodes].filter((child) => !(child instanceof Element && child.matches(PASSING)));
    if (node.dataset?.law !== "unordered") return all;
    return all
      .filter((child) => child instanceof Element)
      .sort((one, other) => Number(one.dataset.id) - Number(other.dataset.id));
  };
  const lines = [];
  const walk = (node, depth) => {
    const indent = "  ".repeat(depth);
    if (node.nodeType === Node.TEXT_NODE) {
      const text = node.textContent.replace(/\s+/g, " ").trim();
      if (text) lines.push(`${indent}"${text}"`);
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      lines.push(indent + describe(node));
      if (node.dataset.as === "ago" || node.hidden) return;
      for (const child of children(node)) walk(child, depth + 1);
    }
  };
  walk(document.getElementById("main"), 0);
  return lines.join("\n");
}
