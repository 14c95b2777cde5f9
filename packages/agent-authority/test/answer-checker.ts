import { CODES } from "@countersign/agent-key/codes";
import { Ajv2020, type AnySchema, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { OpenApiDocument } from "../src/http/openapi/create-document.js";

/** What is held against a document. */
export interface CheckedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

// biome-ignore lint/suspicious/noExplicitAny: a document is read as the JSON that it is
type Json = any;

// Of what no operation is: any refusal that HTTP has a status for.
const REFUSED = new Set([400, 401, 403, 404, 405, 408, 413, 414, 415, 417, 429, 431, 500, 503]);
// Fields of the connection and of the content, which OpenAPI does not describe as an answer's.
const OF_HTTP = new Set([
  "connection",
  "content-length",
  "content-type",
  "keep-alive",
  "transfer-encoding",
]);
const PROBLEM = {
  type: "object",
  properties: {
    title: { type: "string" },
    status: { type: "integer" },
    code: { enum: CODES },
    detail: { type: "string" },
    error: {
      type: "object",
      properties: { message: { type: "string" }, type: { type: "string" }, code: { enum: CODES } },
      required: ["message", "type", "code"],
      additionalProperties: false,
    },
  },
  required: ["title", "status", "code", "error"],
  additionalProperties: false,
};

/** Holds answers against an OpenAPI document: status, content type, header fields and body. */
export class AnswerChecker {
  readonly #document: OpenApiDocument;
  readonly #prefix: string;
  readonly #ajv = new Ajv2020({ strict: true, allErrors: true });
  readonly #validators = new Map<string, ValidateFunction>();

  /** @param prefix - where the operations stand besides the root; `""` for nowhere */
  constructor(document: OpenApiDocument, prefix: string) {
    this.#document = document;
    this.#prefix = prefix;
    formats.default(this.#ajv);
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      this.#ajv.addSchema(close(schema), nameOf(name));
    }
  }

  /** Throws where an answer is not as documented. */
  check(method: string, target: string, answer: CheckedAnswer): void {
    const path = this.#pathOf(target);
    const operation =
      path === undefined ? undefined : this.#document.paths[path]?.[method.toLowerCase()];
    const about = `${method} ${target} answered ${answer.status}`;
    if (operation === undefined) {
      if (!REFUSED.has(answer.status)) throw new Error(`${about} and is not documented`);
      this.#checkBody(`${about} which`, PROBLEM, "application/problem+json", answer);
      return;
    }
    const documented = this.#resolve(operation.responses[answer.status]);
    if (documented === undefined)
      throw new Error(`${about} which ${path} does not document: ${answer.text}`);
    for (const name of Object.keys(answer.headers)) {
      if (OF_HTTP.has(name) || name in documented.headers) continue;
      throw new Error(`${about} with ${name}, which is not documented`);
    }
    for (const [name, header] of Object.entries<Json>(documented.headers).map(
      ([name, header]) => [name, this.#resolve(header)] as const,
    )) {
      const value = answer.headers[name];
      if (value === undefined && header.required) throw new Error(`${about} without ${name}`);
      if (value !== undefined) this.#validate(`${about}: ${name}`, header.schema, String(value));
    }
    const [type, content] = Object.entries<Json>(documented.content ?? {})[0] ?? [];
    if (type === undefined) {
      if (answer.text !== "") throw new Error(`${about} with a body`);
      return;
    }
    this.#checkBody(about, content.schema, type, answer);
  }

  // References lead to a component, never to another reference.
  #resolve(part: Json): Json {
    if (part?.$ref === undefined) return part;
    const [, , kind, name] = part.$ref.split("/");
    return (this.#document.components as Json)[kind][name];
  }

  #pathOf(target: string): string | undefined {
    let path = target.split(/[?#]/, 1)[0] ?? "";
    if (this.#prefix !== "" && path.startsWith(`${this.#prefix}/`))
      path = path.slice(this.#prefix.length);
    const templates = Object.keys(this.#document.paths);
    // A literal path wins over one with parameters, as it does where it is served.
    return (
      templates.find((template) => template === path) ??
      templates.find((template) => matches(template, path))
    );
  }

  #checkBody(about: string, schema: Json, type: string, answer: CheckedAnswer): void {
    const served = String(answer.headers["content-type"]).split(";", 1)[0];
    if (served !== type) throw new Error(`${about} as ${served}, not as ${type}`);
    this.#validate(about, schema, JSON.parse(answer.text));
  }

  #validate(about: string, schema: AnySchema, value: unknown): void {
    const key = JSON.stringify(schema);
    const validate = this.#validators.get(key) ?? this.#ajv.compile(close(schema));
    this.#validators.set(key, validate);
    if (validate(value)) return;
    throw new Error(
      `${about}, which is not as documented: ${this.#ajv.errorsText(validate.errors)}`,
    );
  }
}

function matches(template: string, path: string): boolean {
  const pattern = template.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${pattern}$`).test(path);
}

function nameOf(component: string): string {
  return `component:${component}`;
}

// A reader ignores members that it does not know. A server is not to send any that its document does not tell of.
function close(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(close);
  if (typeof schema !== "object" || schema === null) return schema;
  const closed = Object.fromEntries(
    Object.entries<Json>(schema).map(([name, value]) => [
      name,
      name === "$ref" ? nameOf(value.slice("#/components/schemas/".length)) : close(value),
    ]),
  );
  const isOpen = closed.type === "object" && closed.additionalProperties === undefined;
  return isOpen ? { ...closed, additionalProperties: false } : closed;
}
