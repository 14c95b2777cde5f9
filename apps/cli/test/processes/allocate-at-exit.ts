import { getHeapSpaceStatistics } from "node:v8";

// Preloaded into a command: when that ends, allocates as a busy process does, and prints what its young generation then takes, in MiB.
process.on("exit", () => {
  let kept: unknown[] = [];
  for (let count = 0; count < 3_000_000; count += 1) {
    kept.push({ count });
    if (kept.length > 20_000) kept = [];
  }
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
  console.error(`young generation ${(space?.space_size ?? 0) / 1_048_576}`);
});
