import type { FigureRow } from "../harness/row.ts";
import { openGatewayStage } from "../servers/gateway-stage.ts";
import { watchMemory } from "../servers/watch-memory.ts";

const REQUESTS = 400_000;
const HEADERS = 2_000;

export const row: FigureRow = {
  kind: "figure",
  name: "memory-gateway",
  title: "resident memory of countersign gateway over 400,000 requests with 80,000 headers",
  against: "at most 8 MiB of growth over the last half, by least squares",
  unit: "MiB",
  goal: { limit: "at most", value: 250 },
  tooLongForQuick: "400,000 requests must be sent",
  async measure(run) {
    const stage = await openGatewayStage();
    try {
      const server = await stage.command({ audit: false });
      const load = stage.different(server, HEADERS);
      // Signed again for each fortieth of the requests, since all of them take longer than a header is valid.
      const requests = () => stage.different(server, HEADERS).requests(HEADERS);
      return await watchMemory({ ...load, requests }, REQUESTS, run);
    } finally {
      await stage.close();
    }
  },
};
