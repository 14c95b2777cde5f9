import { Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { ConnectionPlaces } from "./connection-places.js";

test("each of several new connections of one moment has another connection make room", () => {
  const limits: string[] = [];
  const places = new ConnectionPlaces({ maxConnections: 8, maxConnectionsPerAddress: 2 }, (limit) =>
    limits.push(limit),
  );
  const sockets = Array.from({ length: 4 }, () => new Socket());
  for (const socket of sockets) places.add(socket, "192.0.2.1");
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true, false, false]);
  expect(limits).toEqual(["connections_per_address", "connections_per_address"]);
});

test("an address is forgotten with the last of its connections", () => {
  const places = new ConnectionPlaces({ maxConnections: 8, maxConnectionsPerAddress: 2 }, () => {});
  const sockets = [new Socket(), new Socket(), new Socket()];
  const forget = vi.spyOn(Map.prototype, "delete");
  onTestFinished(() => forget.mockRestore());
  for (const [index, address] of ["192.0.2.1", "192.0.2.1", undefined].entries()) {
    places.add(sockets[index] ?? expect.fail(), address);
  }
  const forgotten = () => forget.mock.calls.filter(([key]) => key === "192.0.2.1").length;
  sockets[0]?.emit("close");
  sockets[2]?.emit("close");
  expect(forgotten()).toBe(0);
  sockets[1]?.emit("close");
  expect(forgotten()).toBe(1);
});
