// The npm package `ws`: subscribes to a channel and prints what comes, and how the socket is closed.
// Arguments: the address, an access token, and the channel.
import WebSocket from "ws";

const [address, token, channel] = process.argv.slice(2);
const socket = new WebSocket(address, { headers: { Authorization: `Bearer ${token}` } });

socket.on("open", () => socket.send(JSON.stringify({ type: "subscribe", channel })));
socket.on("message", (data) => console.log(data.toString()));
socket.on("close", (code) => console.log(JSON.stringify({ type: "closed", code })));
