import type { FigureRow } from "../harness/row.ts";
import { quantile, quartiles } from "../harness/statistics.ts";
import { authorityLoad } from "../servers/registration-stage.ts";
import { warm } from "../servers/server-contender.ts";
import { onStage } from "../servers/stage.ts";

const CONNECTIONS = 64;
const WARM = 1_000;
// A hundredth of it is more than the connections have in work at one time, so that one pause does not decide the figure.
const REQUESTS = 3_200;
const PARTS = 3;

export const row: FigureRow = {
  kind: "figure",
  name: "register-latency",
  title: "latency of task registrations at 64 connections, SQLite: the slowest hundredth (p99)",
  against: "their median",
  unit: "× the median",
  goal: { limit: "at most", value: 4 },
  tooLongForQuick: "a hundredth of the requests must be many",
  measure: ({ progress, signal }) =>
    onStage(async (stage) => {
      await using _ = stage;
      const load = await authorityLoad(stage, "SQLite", CONNECTIONS);
      await warm(load, WARM);
      const { server, generator, connections, requests } = load;
      const figures: number[] = [];
      while (figures.length < PARTS) {
        signal.throwIfAborted();
        const batch = requests(REQUESTS);
        const sent = { url: server.url, requests: batch, count: REQUESTS, connections };
        const { latenciesMs, turnedAway } = await generator.send(sent);
        const [middle, slow] = [quantile(latenciesMs, 0.5), quantile(latenciesMs, 0.99)];
        progress(`p50 ${middle.toFixed(0)} ms, p99 ${slow.toFixed(0)} ms, 503: ${turnedAway}`);
        figures.push(slow / middle);
      }
      return quartiles(figures);
    }),
};
