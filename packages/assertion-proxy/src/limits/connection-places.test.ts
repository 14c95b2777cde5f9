import { Socket } from "node:net";
import { expect, test } from "vitest";
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
