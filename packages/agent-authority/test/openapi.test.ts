import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { FastifyInstance } from "fastify";
import { describe, expect, it } from "vitest";
import { checkAuthorityOptions } from "../src/authority-options.js";
import { adminListener } from "../src/http/admin/admin-listener.js";
import { createRouter } from "../src/http/create-router.js";
import { createDocument, type OpenApiDocument } from "../src/http/openapi/create-document.js";
import { publicListener } from "../src/http/public-listener.js";
import type { Generation } from "../src/index.js";
import { AnswerChecker } from "./answer-checker.js";
import { documentSchema, referencesOf, undescribed } from "./openapi-form.js";
import { type Answer, TestedAuthority } from "./start-authority.js";

const GENERATIONS: readonly (readonly Generation[])[] = [
  ["A"],
  ["B"],
  ["C"],
  ["A", "B"],
  ["A", "C"],
  ["B", "C"],
  ["A", "B", "C"],
];

/** The operations that a document describes, as `GET /v1/agent/{}`. */
function documented({ paths }: OpenApiDocument, prefix = ""): string[] {
  return Object.entries(paths)
    .flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${prefix}${path}`),
    )
    .map((route) => route.replace(/\{\w+\}/g, "{}"))
    .sort();
}

/** The paths in a printed tree of routes, where a line stands below the one that it goes on from. */
function pathsOf(tree: string): string[] {
  const parents: string[] = [];
  return tree.split("\n").flatMap((line) => {
    const [, indent = "", part = "", methods] = /^(.*?[├└]── )(\S*)( \(.*\))?$/.exec(line) ?? [];
    if (indent === "") return [];
    const depth = indent.length / 4 - 1;
    const path = (parents[depth - 1] ?? "") + part;
    parents[depth] = path;
    return methods === undefined ? [] : [path];
  });
}

/** What a router serves: its paths, each with the methods that its listener says to be allowed there. */
async function served(
  router: FastifyInstance,
  call: (method: string, path: string) => Promise<Answer>,
): Promise<string[]> {
  const paths = new Set(pathsOf(router.printRoutes({ commonPrefix: false })));
  const routes: string[] = [];
  for (const path of paths) {
    // No route takes it, so that each says what it does take.
    const { status, headers } = await call("DELETE", path.replace(/:\w+/g, "x"));
    expect(status, path).toBe(405);
    for (const method of String(headers.allow).split(", ")) {
      routes.push(`${method} ${path.replace(/:\w+/g, "{}")}`);
    }
  }
  return routes.sort();
}

function written(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

describe("the checks of answers", () => {
  const checker = new AnswerChecker(
    createDocument(publicListener({ generations: new Set(["C"]), publicUrl: undefined })),
    "",
  );
  const headers = {
    date: "Wed, 15 Apr 2026 12:00:00 GMT",
    "cache-control": "no-store",
    "x-request-id": "request-1",
    "content-type": "application/json",
  };
  const whoami = { account_id: "acct-1", user_id: "user-1" };
  const check =
    (status: number, body: unknown, changed: Record<string, string | undefined> = {}) =>
    () =>
      checker.check("GET", "/v1/whoami", {
        status,
        headers: { ...headers, ...changed },
        text: JSON.stringify(body),
      });

  const problemOf = (title: string, status: number, code: string) => ({
    ...{ title, status, code },
    error: { message: title, type: "server_error", code },
  });

  it("refuse a status, type, header, member or code that is not documented, and take what is (G-A31)", () => {
    expect(check(201, whoami)).toThrow(/does not document/);
    expect(check(200, whoami, { "content-type": "text/html" })).toThrow(/as text\/html/);
    expect(check(200, whoami, { date: undefined })).toThrow(/without date/);
    expect(check(200, { ...whoami, more: 1 })).toThrow(/not as documented/);
    expect(check(200, { account_id: "acct-1" })).toThrow(/not as documented/);
    const problem = problemOf("Forbidden", 403, "invalid_key");
    expect(check(403, problem, { "content-type": "application/problem+json" })).toThrow(
      /not as documented/,
    );
    const busy = problemOf("Service Unavailable", 503, "server_error");
    expect(check(503, busy, { "content-type": "application/problem+json" })).toThrow(
      /without retry-after/,
    );
    expect(check(200, whoami)).not.toThrow();
  });
});

describe("the OpenAPI document", () => {
  for (const generations of GENERATIONS) {
    it(`describes every route of generations ${generations.join(", ")}, and no other`, async () => {
      await using tested = await TestedAuthority.start({ generations });
      const context = checkAuthorityOptions({ store: tested.store, generations });
      const listener = publicListener(context);
      const router = await createRouter(context, listener);
      const document = createDocument(listener);
      const everywhere = [...documented(document), ...documented(document, "/backend-api")].sort();
      expect(await served(router, (method, path) => tested.call(method, path))).toEqual(everywhere);
      await router.close();
    });
  }

  it("describes every route of the admin listener, and no other (G-A31)", async () => {
    await using tested = await TestedAuthority.start();
    const listener = adminListener();
    const router = await createRouter(checkAuthorityOptions({ store: tested.store }), listener);
    const routes = await served(router, (method, path) => tested.callAdmin(method, path));
    expect(routes).toEqual(documented(createDocument(listener)));
    await router.close();
  });

  const publicUrl = "https://authority.example/backend-api";
  const documents = {
    "of the admin listener": createDocument(adminListener()),
    "of everything": createDocument(
      publicListener({ generations: new Set(["A", "B", "C"]), publicUrl }),
    ),
    "of the least": createDocument(
      publicListener({ generations: new Set(["A"]), publicUrl: undefined }),
    ),
  };
  for (const [name, document] of Object.entries(documents)) {
    it(`${name} is OpenAPI 3.1 whose references, parameters and schemas hold, and says what each part of it is (G-A31)`, async () => {
      // As it is read: what JSON has no word for must not be in it.
      const read = JSON.parse(JSON.stringify(document));
      expect(read).toEqual(document);
      documentSchema.parse(read);
      expect(undescribed(read.components.schemas)).toEqual([]);
      expect(await new Validator().validate(structuredClone(read))).toEqual({ valid: true });
      for (const reference of referencesOf(read)) {
        const [, , kind = "", name = ""] = reference.split("/");
        expect(read.components[kind], reference).toHaveProperty([name]);
      }
      const ajv = new Ajv2020({ strict: true });
      formats.default(ajv);
      ajv.addVocabulary(["openapi", "info", "servers", "paths", "components", "security"]);
      ajv.addSchema(read, "document");
      for (const schema of Object.keys(read.components.schemas)) {
        ajv.compile({ $ref: `document#/components/schemas/${schema}` });
      }
    });
  }

  // `vitest run test/openapi.test.ts --update` writes both files.
  it("is in the package as an authority with a public URL serves it (G-A31)", async () => {
    await using tested = await TestedAuthority.start({
      generations: ["A", "B", "C"],
      publicUrl: "https://authority.example",
    });
    const served = await tested.call("GET", "/openapi.json");
    const admin = await tested.callAdmin("GET", "/openapi.json");
    await expect(written(served.body)).toMatchFileSnapshot("../openapi/public.json");
    await expect(written(admin.body)).toMatchFileSnapshot("../openapi/admin.json");
  });

  it("is served by both listeners and under both prefixes", async () => {
    await using tested = await TestedAuthority.start({ publicUrl: "https://authority.example" });
    const served = await tested.call("GET", "/openapi.json");
    expect(served.body).toMatchObject({
      openapi: "3.1.1",
      servers: [
        { url: "https://authority.example" },
        { url: "https://authority.example/backend-api" },
      ],
    });
    expect(served.headers["cache-control"]).toBe("private, max-age=60");
    expect((await tested.call("GET", "/backend-api/openapi.json")).body).toEqual(served.body);
    expect((await tested.callAdmin("GET", "/openapi.json")).body).toEqual(
      JSON.parse(JSON.stringify(createDocument(adminListener()))),
    );
  });

  it.each([
    ["a caller on this machine", {}, {}, [{ resource_server: [] }, {}]],
    ["whom a proxy passed on", {}, { via: "1.1 proxy" }, [{ resource_server: [] }]],
    ["a public URL", { publicUrl: "https://authority.example" }, {}, [{ resource_server: [] }]],
  ] as const)("says of the directory what it takes: %s", async (_, options, headers, expected) => {
    await using tested = await TestedAuthority.start(options);
    // In both orders: one caller gets no answer that was made for another.
    await tested.call("GET", "/openapi.json", { headers: { forwarded: "for=192.0.2.1" } });
    await tested.call("GET", "/openapi.json");
    const { body } = await tested.call("GET", "/openapi.json", { headers });
    const securityOf = (path: string) => body.paths[path].get.security;
    expect(securityOf("/v1/agent/{agent_runtime_id}")).toEqual(expected);
    expect(securityOf("/v1/agent/{agent_runtime_id}/task/{task_id}")).toEqual(expected);
    const answer = await tested.call("GET", "/v1/agent/agent-1", { headers });
    expect(answer.status).toBe(expected.length > 1 ? 404 : 401);
  });
});
