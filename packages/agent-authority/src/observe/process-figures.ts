import { collectDefaultMetrics, Registry } from "prom-client";

let registry: Registry | undefined;

/**
 * The figures of this process: CPU, memory, open files, event loop, garbage collection. They are the process's own, so the authorities of one
 * process show the same ones, and what observes the process is started once.
 */
export function processFigures(): Registry {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry;
}
