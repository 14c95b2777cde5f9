import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

// An API that reads what it is sent and answers 1 KiB.
const ANSWER = Buffer.from(JSON.stringify({ answer: "x".repeat(1_000) }));

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    response.setHeader("content-type", "application/json");
    response.setHeader("content-length", ANSWER.length);
    response.end(ANSWER);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
