// Node's `ws`: node_ws.js PORT send|frame. A WebSocket subscribes, the lines of a POST go to all of them.
// "send" sends each message as one does; "frame" builds its frame once and writes that.
import { createServer } from "node:http";
import WebSocket, { Sender, WebSocketServer } from "ws";

const [port, way] = process.argv.slice(2);
const subscribers = new WebSocketServer({ noServer: true, perMessageDeflate: false });

/** @param {string} line */
function send(line) {
  const message = JSON.stringify(JSON.parse(line));
  for (const client of subscribers.clients) {
    if (client.readyState === WebSocket.OPEN) client.send(message);
  }
}

/** @param {string} line */
function sendFrame(line) {
  const options = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true };
  const frame = Buffer.concat(Sender.frame(Buffer.from(line), options));
  for (const client of subscribers.clients) {
    if (client.readyState === WebSocket.OPEN) client._socket.write(frame);
  }
}

const publish = way === "frame" ? sendFrame : send;
const server = createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    response.end("ok");
    Buffer.concat(pieces).toString().split("\n").forEach(publish);
  });
});
server.on("upgrade", (request, socket, head) => {
  subscribers.handleUpgrade(request, socket, head, () => {});
});
server.keepAliveTimeout = 0;
server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 }, () => console.log("Listening"));
