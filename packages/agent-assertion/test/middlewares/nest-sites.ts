import "reflect-metadata";
import { createServer, type IncomingMessage } from "node:http";
import * as previous from "@countersign/previous-sdks/nestjs";
import * as common from "@nestjs/common";
import { APP_GUARD, ExternalContextCreator, NestFactory } from "@nestjs/core";
import { ExpressAdapter, type NestExpressApplication } from "@nestjs/platform-express";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import express from "express";
import { expect } from "vitest";
import type { VerifiedAssertion } from "../../src/index.js";
import { agentGuard, agentParameter, optionalAgentParameter } from "../../src/nestjs.js";
import { endWithTest, heard } from "./scene.js";
import { ADMIN, type Framework, idOf, type SiteOptions, serve, strip } from "./site.js";

const current = {
  APP_GUARD,
  common,
  ExternalContextCreator,
  NestFactory,
  ExpressAdapter,
  FastifyAdapter,
};

/** What these tests use of Nest. */
export type Nest = typeof current;

/** The majors of Nest, by the names of their sites. */
export const nests: Readonly<Record<string, Nest>> = {
  "Nest 12": current,
  // Its types are other ones, and alike in what is used here.
  "Nest 11": previous as unknown as Nest,
};

/** What the handlers of these tests use of the platform's request. */
interface PlatformRequest {
  readonly url: string;
  readonly rawBody?: Uint8Array;
}

/** Decorates a method, as a compiler does. */
export function decorate(
  type: { readonly prototype: object },
  method: string,
  decorator: MethodDecorator,
): void {
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, method);
  decorator(type.prototype, method, descriptor ?? expect.fail());
}

/** A module whose guarded controller answers everything; below `/admin` a narrower guard stands. */
function moduleOf(
  nest: Nest,
  everything: readonly string[],
  options: SiteOptions,
  onHandled: () => void,
): new () => object {
  const { verifier, onError, onMissing } = options;
  const { All, Controller, Module, Req, Res, UseGuards, createParamDecorator } = nest.common;
  class Controlled {
    admin(): never {
      return expect.fail();
    }

    any(
      request: PlatformRequest,
      response: { removeHeader(name: string): void },
      agent: VerifiedAssertion | undefined,
    ) {
      onHandled();
      response.removeHeader("content-encoding");
      return heard(idOf(agent), request.url, request.rawBody ?? new Uint8Array());
    }
  }
  const Agent = createParamDecorator(
    onMissing === "pass" ? optionalAgentParameter : agentParameter,
  );
  decorate(Controlled, "admin", All("admin"));
  decorate(Controlled, "admin", UseGuards(agentGuard(verifier, { onError, policy: ADMIN })));
  decorate(Controlled, "any", All([...everything]));
  Req()(Controlled.prototype, "any", 0);
  Res({ passthrough: true })(Controlled.prototype, "any", 1);
  Agent()(Controlled.prototype, "any", 2);
  Controller()(Controlled);
  class App {}
  Module({ controllers: [Controlled] })(App);
  return App;
}

/** What would change every refusal, if it came through Nest. */
function addGlobals(
  app: NestExpressApplication | NestFastifyApplication,
  nest: Nest,
  { verifier, onError, clientAddress, onMissing, ...hooks }: SiteOptions,
): void {
  class Changing {
    catch(_: unknown, host: common.ArgumentsHost): void {
      host.switchToHttp().getResponse().status(418).send("changed");
    }
  }
  nest.common.Catch()(Changing);
  app.useGlobalFilters(new Changing());
  app.useGlobalGuards(agentGuard(verifier, { onError, clientAddress, onMissing, ...hooks }));
}

const SET_BEFORE = {
  "access-control-allow-origin": "https://page.example",
  "content-encoding": "gzip",
  etag: '"x"',
  "www-authenticate": "Basic",
};
const QUIET = { logger: false, rawBody: true } as const;

function onExpress(name: string, nest: Nest): Framework {
  return {
    name: `${name} on Express`,
    async start(options) {
      let handled = 0;
      const App = moduleOf(nest, ["/", "*path"], options, () => {
        handled += 1;
      });
      const own = express();
      const app = await nest.NestFactory.create<NestExpressApplication>(
        App,
        new nest.ExpressAdapter(own),
        QUIET,
      );
      endWithTest(() => app.close());
      app.useBodyParser("raw", { type: () => true, limit: "64mb" });
      addGlobals(app, nest, options);
      await app.init();
      const outer = express();
      outer.use((_, response, next) => {
        response.set(SET_BEFORE);
        next();
      });
      outer.use("/mounted", own);
      outer.use("/", own);
      return serve(createServer(outer), () => handled);
    },
  };
}

function onFastify(name: string, nest: Nest): Framework {
  return {
    name: `${name} on Fastify`,
    async start(options) {
      let handled = 0;
      const App = moduleOf(nest, ["*"], options, () => {
        handled += 1;
      });
      const adapter = new nest.FastifyAdapter({
        rewriteUrl: (request: IncomingMessage) => strip(request.url),
      });
      adapter.getInstance().addHook("onRequest", async (_, reply) => {
        reply.headers(SET_BEFORE);
      });
      adapter.getInstance().addHook("onSend", async (_, reply, payload) => {
        if (reply.statusCode < 400) return payload;
        reply.code(418);
        return "changed";
      });
      const app = await nest.NestFactory.create<NestFastifyApplication>(App, adapter, QUIET);
      endWithTest(() => app.close());
      app.useBodyParser("*", { bodyLimit: 64 * 1024 * 1024 });
      addGlobals(app, nest, options);
      await app.init();
      await adapter.getInstance().ready();
      return serve(app.getHttpServer(), () => handled);
    },
  };
}

export const nestApps: readonly Framework[] = Object.entries(nests).flatMap(([name, nest]) => [
  onExpress(name, nest),
  onFastify(name, nest),
]);
