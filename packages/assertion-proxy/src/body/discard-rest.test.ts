import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { discardRest, endsWithEarlyAnswer } from "./discard-rest.js";

function openRequest(rawHeaders: string[] = []) {
  const socket = new Socket();
  onTestFinished(() => void socket.destroy());
  const request = new IncomingMessage(socket);
  request.rawHeaders = rawHeaders;
  onTestFinished(() => void request.destroy());
  return { socket, request };
}

test("ends the connection of a body that goes on for more than 1 MiB, and of no shorter one", () => {
  const { socket, request } = openRequest();
  discardRest(request);
  request.emit("data", Buffer.alloc(1_048_576));
  expect(socket.writableEnded).toBe(false);
  request.emit("data", Buffer.alloc(1));
  expect(socket.writableEnded).toBe(true);
  expect(socket.destroyed).toBe(false);
});

test("keeps a connection from being closed by its server before a body was read, and no longer", () => {
  const { socket, request } = openRequest();
  discardRest(request);
  expect(socket.destroySoon).not.toBe(Socket.prototype.destroySoon);
  request.emit("close");
  expect(socket.destroySoon).toBe(Socket.prototype.destroySoon);
});

test.each([
  [["Content-Length", "1048576"], false, false],
  [["Content-Length", "1048577"], false, true],
  [["Content-Length", "1048577"], true, false],
  [["Transfer-Encoding", "chunked"], false, true],
  [["Transfer-Encoding", "chunked"], true, false],
  [[], false, false],
])("with %j, the body read: %s, an answer is its connection's last: %s", (fields, read, isLast) => {
  const { request } = openRequest(fields);
  request.complete = read;
  expect(endsWithEarlyAnswer(request)).toBe(isLast);
});
