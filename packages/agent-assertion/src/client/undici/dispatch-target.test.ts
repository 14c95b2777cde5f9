import type { Dispatcher } from "undici";
import { expect, test } from "vitest";
import { dispatchTarget } from "./dispatch-target.js";

const targetOf = (options: object) => dispatchTarget(options as Dispatcher.DispatchOptions);

test.each([
  { origin: "https://api.example" },
  { origin: "https://api.example", path: 7 },
  { origin: "https://api.example", path: "" },
  { origin: "https://api.example", path: "@other.example/" },
  { path: "/" },
])("a request of %j goes to no known target", (options) => {
  expect(targetOf(options)).toBeUndefined();
});

test("a path that looks like another host stays on its origin", () => {
  const target = targetOf({ origin: "https://api.example", path: "//other.example/x" });
  expect(target).toMatchObject({ targetUri: "https://api.example//other.example/x" });
  expect(target?.url.host).toBe("api.example");
});
