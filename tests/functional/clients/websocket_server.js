// An upstream made of npm's ws, as Debian packs it. Prints its port, then serves until killed.
//
// A message is sent back; "close CODE REASON" closes so. It accepts permessage-deflate.
"use strict";
const { WebSocketServer } = require("ws");

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  maxPayload: 32 << 20,
  perMessageDeflate: { threshold: 0 },
  handleProtocols: (offered) => (offered.has("chat.v2") ? "chat.v2" : false),
}, () => console.log(server.address().port));

server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data, binary) => {
    const close = binary ? null : /^close (\d+) (.*)$/.exec(data.toString());
    if (close) socket.close(Number(close[1]), close[2]);
    else socket.send(data, { binary });
  });
});
