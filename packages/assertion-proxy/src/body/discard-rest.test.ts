import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { discardRest } from "./discard-rest.js";

test("breaks the connection of a body that goes on for more than 1 MiB, and of no shorter one", () => {
  const socket = new Socket();
  onTestFinished(() => void socket.destroy());
  const request = new IncomingMessage(socket);
  discardRest(request);
  request.emit("data", Buffer.alloc(1_048_576));
  expect(socket.destroyed).toBe(false);
  request.emit("data", Buffer.alloc(1));
  expect(socket.destroyed).toBe(true);
  request.destroy();
});
