import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { buffer } from "node:stream/consumers";
import express from "express";
import Fastify, { type FastifyPluginAsync } from "fastify";
import { Hono } from "hono";
import { expect } from "vitest";
import {
  type AgentRequest,
  agentOf,
  agentAssertion as connectAssertion,
} from "../../src/express.js";
import { agentAssertion as fastifyAssertion, findAgent } from "../../src/fastify.js";
import { withAgent } from "../../src/handler.js";
import { agentAssertion as honoAssertion, type OptionalAgentEnv } from "../../src/hono.js";
import type { VerifiedAssertion } from "../../src/index.js";
import { requireAgent } from "../../src/node.js";
import { listenerOf } from "./hono-listener.js";
import { koaApps } from "./koa-sites.js";
import { nestApps } from "./nest-sites.js";
import { endWithTest, heard } from "./scene.js";
import { ADMIN, type Framework, idOf, serve, strip } from "./site.js";
import { webSocketServers } from "./ws-sites.js";

const bare: Framework = {
  name: "node:http",
  async start({ verifier, onError, clientAddress, onMissing, ...hooks }) {
    let handled = 0;
    const open = requireAgent(
      verifier,
      async (request, response, agent: VerifiedAssertion | undefined) => {
        handled += 1;
        const body = await buffer(request);
        response.end(JSON.stringify(heard(idOf(agent), request.url ?? "", body)));
      },
      { onError, clientAddress, onMissing, ...hooks },
    );
    const admin = requireAgent(verifier, () => expect.fail(), { onError, policy: ADMIN });
    const listener: RequestListener = (request, response) =>
      (request.url?.startsWith("/admin") ? admin : open)(request, response);
    return serve(createServer(listener), () => handled);
  },
};

const connectStyle: Framework = {
  name: "a connect-style server",
  async start({ verifier, onError, clientAddress, onMissing, ...hooks }) {
    let handled = 0;
    const middleware = connectAssertion({ verifier, onError, clientAddress, onMissing, ...hooks });
    const admin = connectAssertion({ verifier, onError, policy: ADMIN });
    const server = createServer((request, response) => {
      void middleware(request, response, () => {
        if (request.url?.startsWith("/admin")) {
          void admin(request, response, () => expect.fail());
          return;
        }
        handled += 1;
        const chunks: Buffer[] = [];
        // By events, and not before the next turn: the body must wait.
        setImmediate(() => {
          request.on("data", (chunk: Buffer) => chunks.push(chunk));
          request.on("end", () => {
            const body = Buffer.concat(chunks);
            const agent = onMissing === "pass" ? (request as AgentRequest).agent : agentOf(request);
            response.end(JSON.stringify(heard(idOf(agent), request.url ?? "", body)));
          });
        });
      });
    });
    return serve(server, () => handled);
  },
};

const expressApp: Framework = {
  name: "Express",
  async start({ verifier, onError, clientAddress, onMissing, ...hooks }) {
    let handled = 0;
    const app = express();
    const api = express.Router();
    api.use(connectAssertion({ verifier, onError, clientAddress, onMissing, ...hooks }));
    api.use("/admin", connectAssertion({ verifier, onError, policy: ADMIN }));
    api.use(express.raw({ type: () => true, limit: "64mb" }));
    api.use((request, response) => {
      handled += 1;
      const body: unknown = request.body;
      const bytes = body instanceof Uint8Array ? body : new Uint8Array();
      const agent = onMissing === "pass" ? request.agent : agentOf(request);
      response.json(heard(idOf(agent), request.url, bytes));
    });
    app.use((_, response, next) => {
      response.set({ "access-control-allow-origin": "https://page.example", etag: '"x"' });
      response.set({ "content-encoding": "gzip", "www-authenticate": "Basic" });
      next();
    });
    app.use("/mounted", api);
    app.use("/", api);
    app.use((_: unknown, __: unknown, response: express.Response, ___: unknown) => {
      response.status(418).send("changed");
    });
    return serve(createServer(app), () => handled);
  },
};

const fastifyApp: Framework = {
  name: "Fastify",
  async start({ verifier, onError, clientAddress, onMissing, ...hooks }) {
    let handled = 0;
    const app = Fastify({
      bodyLimit: 64 * 1024 * 1024,
      rewriteUrl: (request) => strip(request.url),
    });
    app.addHook("onRequest", async (_, reply) => {
      reply.headers({ "access-control-allow-origin": "https://page.example", etag: '"x"' });
      reply.headers({ "content-encoding": "gzip", "www-authenticate": "Basic" });
    });
    app.addHook("onSend", async (_, reply, payload) => {
      if (reply.statusCode >= 400) reply.code(418);
      return reply.statusCode === 418 ? "changed" : payload;
    });
    app.setErrorHandler((_, __, reply) => reply.code(418).send("changed"));
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
    await app.register(fastifyAssertion, {
      verifier,
      clientAddress,
      onMissing,
      ...hooks,
      ...(onError && { onError }),
    });
    const admin: FastifyPluginAsync = async (scope) => {
      await scope.register(fastifyAssertion, { verifier, policy: ADMIN });
      scope.all("/", () => expect.fail());
    };
    await app.register(admin, { prefix: "/admin" });
    app.all("/*", async (request, reply) => {
      handled += 1;
      const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
      reply.removeHeader("content-encoding");
      const agent = onMissing === "pass" ? findAgent(request) : request.agent;
      return heard(idOf(agent), request.url, body);
    });
    await app.ready();
    endWithTest(() => app.close());
    return serve(app.server, () => handled);
  },
};

const honoApp: Framework = {
  name: "Hono on @hono/node-server",
  async start({ verifier, onError, clientAddress, onMissing, ...hooks }) {
    let handled = 0;
    const api = new Hono<OptionalAgentEnv>();
    api.use(honoAssertion({ verifier, onError, clientAddress, onMissing, ...hooks }));
    api.use("/admin", honoAssertion({ verifier, onError, policy: ADMIN }));
    api.all("*", async (c) => {
      handled += 1;
      const body = new Uint8Array(await c.req.arrayBuffer());
      c.header("content-encoding", undefined);
      return c.json(heard(idOf(c.get("agent")), strip(new URL(c.req.url).pathname), body));
    });
    const app = new Hono();
    app.use(async (c, next) => {
      c.header("access-control-allow-origin", "https://page.example");
      c.header("etag", '"x"');
      c.header("content-encoding", "gzip");
      c.header("www-authenticate", "Basic");
      await next();
    });
    app.onError((_, c) => c.text("changed", 418));
    app.route("/mounted", api);
    app.route("/", api);
    return serve(createServer(listenerOf(app)), () => handled);
  },
};

/** What @hono/node-server gives beside the request. */
interface NodeEnv {
  readonly incoming: IncomingMessage;
}

function addressOf(_: Request, { incoming }: NodeEnv): string | undefined {
  return incoming.socket.remoteAddress;
}

const fetchHandler: Framework = {
  name: "a handler from Request to Response on @hono/node-server",
  isParsed: true,
  async start({ verifier, onError, clientAddress = addressOf, onMissing, ...hooks }) {
    let handled = 0;
    const options = { onError, clientAddress, onMissing, ...hooks };
    const open = withAgent<[NodeEnv]>(
      verifier,
      async (request, agent: VerifiedAssertion | undefined) => {
        handled += 1;
        const body = new Uint8Array(await request.arrayBuffer());
        const path = strip(new URL(request.url).pathname);
        return Response.json(heard(idOf(agent), path, body));
      },
      options,
    );
    const admin = withAgent(verifier, () => expect.fail(), { onError, policy: ADMIN });
    const fetch = (request: Request, env: NodeEnv) =>
      new URL(request.url).pathname.startsWith("/admin") ? admin(request) : open(request, env);
    return serve(createServer(listenerOf({ fetch })), () => handled);
  },
};

/** The rows of each export of the package; none: it is no middleware. An export that is missing here fails the tests. */
export const rowsOfExports: Readonly<Record<string, readonly Framework[]>> = {
  ".": [],
  "./axios": [],
  "./client-address": [],
  "./express": [connectStyle, expressApp],
  "./fastify": [fastifyApp],
  "./fetch": [],
  "./handler": [fetchHandler],
  "./hono": [honoApp],
  "./koa": koaApps,
  "./message-signature": [],
  "./nestjs": nestApps,
  "./node": [bare],
  "./remote-directory": [],
  "./sign": [],
  "./sign-async": [],
  "./store-contract": [],
  "./undici": [],
  "./websocket": [],
  "./ws": webSocketServers,
  "./package.json": [],
};

export const frameworks: readonly Framework[] = Object.values(rowsOfExports).flat();
