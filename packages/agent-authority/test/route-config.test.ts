import type { FastifyContextConfig } from "fastify";
import { expect, it } from "vitest";
import { checkAuthorityOptions } from "../src/authority-options.js";
import { createRouter } from "../src/http/create-router.js";
import { openScratchStore } from "./start-authority.js";

it.each([
  ["no config", undefined, "audited"],
  ["nothing of the audit log", { addressLimit: "all_requests" }, "audited"],
  ["nothing of the address limit", { audited: "whoami" }, "addressLimit"],
])("a route that states %s is not served (G-A9)", async (_, config, member) => {
  await using store = await openScratchStore();
  const making = createRouter(checkAuthorityOptions({ store }), {
    prefixes: [""],
    add(app) {
      app.get("/new", { config: config as unknown as FastifyContextConfig }, async () => ({}));
    },
  });
  await expect(making).rejects.toThrow(TypeError);
  await expect(making).rejects.toThrow(`GET /new must state ${member} in its config`);
});
