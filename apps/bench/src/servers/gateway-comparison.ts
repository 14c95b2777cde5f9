import type { Comparison } from "../harness/row.ts";
import { type GatewayStage, openGatewayStage } from "./gateway-stage.ts";
import { type ServerLoad, serverContender, warm } from "./server-contender.ts";

const WARM = 3_000;

/** Two servers of one stage, both warm. */
export interface Pair {
  readonly product: ServerLoad;
  readonly peer: ServerLoad;
}

/** Opens a stage of gateways and compares two servers on it. */
export async function compareGateways(
  choose: (stage: GatewayStage) => Promise<Pair>,
): Promise<Comparison> {
  const stage = await openGatewayStage();
  const { close } = stage;
  try {
    const { product, peer } = await choose(stage);
    for (const load of [product, peer]) await warm(load, WARM);
    return { product: serverContender(product), peer: serverContender(peer), close };
  } catch (error) {
    await close();
    throw error;
  }
}
