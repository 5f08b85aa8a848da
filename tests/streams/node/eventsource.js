// The npm package `eventsource`: prints each event as a line of JSON, and comes back by itself.
// Arguments: the address, an access token, and the types to listen for.
import { EventSource } from "eventsource";

const [address, token, ...types] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };
const source = new EventSource(address, {
  fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }),
});

for (const type of types) {
  source.addEventListener(type, (event) => {
    console.log(JSON.stringify({ type, id: event.lastEventId, event: JSON.parse(event.data) }));
  });
}
source.addEventListener("error", (error) => {
  console.log(JSON.stringify({ type: "error", code: error.code ?? null }));
});
