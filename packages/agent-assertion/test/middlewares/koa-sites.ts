import { createServer } from "node:http";
import { createRequire } from "node:module";
import { buffer } from "node:stream/consumers";
import Koa from "koa";
import { expect } from "vitest";
import { agentAssertion, agentOf, type OptionalAgentState } from "../../src/koa.js";
import { heard } from "./scene.js";
import { ADMIN, type Framework, idOf, serve, strip } from "./site.js";

// It has no types of its own; those of the next major hold for what is used here.
const require = createRequire(import.meta.url);
const PreviousKoa: typeof Koa = require("koa-2");

function koaApp(name: string, App: typeof Koa): Framework {
  return {
    name,
    async start({ verifier, onError, clientAddress, onMissing, ...hooks }) {
      let handled = 0;
      const app = new App<OptionalAgentState>();
      app.silent = true;
      // What an error handler and a middleware around the check would make of a refusal.
      app.use(async (ctx, next) => {
        ctx.set({ "access-control-allow-origin": "https://page.example", etag: '"x"' });
        ctx.set({ "content-encoding": "gzip", "www-authenticate": "Basic" });
        try {
          await next();
        } catch {
          ctx.throw(418, "changed");
        }
        if (ctx.status >= 400) ctx.body = "changed";
        ctx.remove("content-encoding");
      });
      // As koa-mount and routers do.
      app.use((ctx, next) => {
        ctx.path = strip(ctx.path);
        return next();
      });
      app.use(agentAssertion({ verifier, onError, clientAddress, onMissing, ...hooks }));
      const admin = agentAssertion({ verifier, onError, policy: ADMIN });
      app.use((ctx, next) =>
        ctx.path === "/admin" ? admin(ctx, async () => expect.fail()) : next(),
      );
      app.use(async (ctx) => {
        handled += 1;
        const body = await buffer(ctx.req);
        const agent = onMissing === "pass" ? ctx.state.agent : agentOf(ctx);
        ctx.body = heard(idOf(agent), ctx.originalUrl, body);
      });
      return serve(createServer(app.callback()), () => handled);
    },
  };
}

export const koaApps: readonly Framework[] = [koaApp("Koa", Koa), koaApp("Koa 2", PreviousKoa)];
