import type { Comparison } from "../harness/row.ts";
import { authorityLoad, tokenServerLoad } from "./registration-stage.ts";
import { serverContender, warm } from "./server-contender.ts";
import { onStage } from "./stage.ts";

const CONNECTIONS = 16;
const WARM = 1_000;

/** Compares task registrations with the tokens of oidc-provider. */
export function compareRegistrations(kind: "SQLite" | "PostgreSQL"): Promise<Comparison> {
  return onStage(async (stage) => {
    const product = await authorityLoad(stage, kind, CONNECTIONS);
    const peer = await tokenServerLoad(stage, CONNECTIONS);
    for (const load of [product, peer]) await warm(load, WARM);
    return {
      product: serverContender(product),
      peer: serverContender(peer),
      close: () => stage[Symbol.asyncDispose](),
    };
  });
}
