import { expect, it } from "vitest";
import { settlesAtOnce } from "./settles-at-once.js";

const steps = async (count: number): Promise<void> => {
  for (let step = 0; step < count; step += 1) await undefined;
};

it.each([
  ["is fulfilled", () => Promise.resolve(1)],
  ["is rejected", () => Promise.reject(new Error("no"))],
  ["is fulfilled after some steps", () => steps(20)],
])("is true for what %s", async (_, make) => {
  expect(await settlesAtOnce(make())).toBe(true);
});

it.each([
  ["never settles", () => new Promise<never>(() => {})],
  ["waits for another turn of the event loop", () => new Promise((done) => setImmediate(done))],
])("is false for what %s", async (_, make) => {
  expect(await settlesAtOnce(make())).toBe(false);
});
