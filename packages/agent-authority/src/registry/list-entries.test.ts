import { expect, it } from "vitest";
import { listGiven } from "./list-entries.js";

it("fills a page with what comes after an entry that was deleted since its id was read", async () => {
  const listing = {
    byIds: async (ids: readonly string[]) => ids.filter((id) => id !== "b"),
    idOf: (id: string) => id,
    toEntry: (id: string) => id,
  };
  expect(await listGiven(["a", "b", "c", "d"], 2, listing)).toEqual(["a", "c"]);
  expect(await listGiven(["a", "b"], 2, listing)).toEqual(["a"]);
});
