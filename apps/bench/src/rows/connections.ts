import type { SeriesRow } from "../harness/row.ts";
import { measureSizes } from "../harness/series.ts";
import { openGatewayStage } from "../servers/gateway-stage.ts";
import { serverContender, warm } from "../servers/server-contender.ts";

const CONNECTIONS = [1, 8, 64, 512];
const WARM = 3_000;

export const row: SeriesRow = {
  kind: "series",
  time: "cpu",
  name: "connections",
  title: "a request through the gateway, from 1 to 512 connections",
  against: "one connection",
  x: "connections",
  y: "CPU of the gateway for one request, µs",
  goal: { limit: "at most", value: 1.3 },
  tooLongForQuick: "it starts several servers",
  async measure(run) {
    const stage = await openGatewayStage();
    try {
      const load = stage.repeated(await stage.verifying());
      await warm(load, WARM);
      const sizes = CONNECTIONS.map((connections) => {
        return { x: connections, contender: serverContender({ ...load, connections }) };
      });
      return await measureSizes(sizes, "cpu", run);
    } finally {
      await stage.close();
    }
  },
};
