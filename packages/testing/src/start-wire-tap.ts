import { onTestFinished } from "vitest";
import { openWireTap, type WireTap } from "./wire-tap.js";

/** Starts a {@link WireTap} that ends with the test. */
export async function startWireTap(): Promise<WireTap> {
  const tap = await openWireTap();
  onTestFinished(() => tap.close());
  return tap;
}
