import { STATUS_CODES } from "node:http";
import * as z from "zod";
import type { Credential, Operation, Operations } from "../../operations/operation.js";
import { parametersOf } from "../../operations/operation-path.js";
import { problemSchema } from "./problem-schema.js";
import { refusalsByStatus } from "./refusals-by-status.js";

/** A JSON value of a document. */
// biome-ignore lint/suspicious/noExplicitAny: what OpenAPI allows is not retold in types; the tests check the whole
type Json = Record<string, any>;

/** What an OpenAPI document is made from. */
export interface DocumentOptions {
  readonly title: string;
  readonly description: string;
  /** Base URLs, absolute or relative to the document's. */
  readonly servers: readonly string[];
  /** The schemas that have a name of their own. */
  readonly schemas: Readonly<Record<string, z.ZodType>>;
  readonly operations: Operations;
}

/** An OpenAPI document. */
export interface OpenApiDocument {
  readonly openapi: "3.1.1";
  readonly info: Json;
  readonly servers: readonly Json[];
  readonly paths: Readonly<Record<string, Json>>;
  readonly components: { readonly schemas: Json; readonly securitySchemes: Json };
}

const SECURITY_SCHEMES: Readonly<Record<Credential, Json>> = {
  human: {
    type: "http",
    scheme: "bearer",
    description:
      "A human's: an access token of role human, or the token of an issuer that the authority knows.",
  },
  biscuit: {
    type: "apiKey",
    in: "header",
    name: "X-OpenAI-Authorization",
    description: "Minted for this one request; lives 60 seconds and is spent once.",
  },
  assertion: {
    type: "apiKey",
    in: "header",
    name: "Authorization",
    description: "The agent's own `AgentAssertion …`, for one of its tasks.",
  },
  resource_server: {
    type: "http",
    scheme: "bearer",
    description: "An access token of role resource_server.",
  },
  read: { type: "http", scheme: "bearer", description: "An access token of role read." },
  operate: { type: "http", scheme: "bearer", description: "An access token of role operate." },
};

const EVERY_ANSWER = z.object({
  date: z.string().describe("The authority's clock, which timestamps are compared with."),
  "cache-control": z.string(),
  "x-request-id": z.string().describe("Names the request in logs and in the audit log."),
});
const UNAUTHENTICATED = z.object({
  "www-authenticate": z.string().regex(/^AgentAssertion error="[a-z_]+"$/),
});
const RETRYABLE = z.object({
  "retry-after": z
    .string()
    .regex(/^\d+$/)
    .describe("Seconds to wait before the same request is sent again."),
});

/** Makes the OpenAPI 3.1 document of what a listener serves, from the schemas that requests and answers are held against. */
export function createDocument(options: DocumentOptions): OpenApiDocument {
  const named = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(options.schemas)) named.add(schema, { id });
  const operations = Object.entries(options.operations);
  const used = new Set(operations.flatMap(([, { credentials }]) => credentials ?? []));
  const paths: Record<string, Json> = {};
  for (const [id, operation] of operations) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: describeOperation(id, operation, options.schemas),
    };
  }
  return {
    openapi: "3.1.1",
    info: { title: options.title, description: options.description, version: "1" },
    servers: options.servers.map((url) => ({ url })),
    paths,
    components: {
      schemas: componentsOf(named),
      securitySchemes: Object.fromEntries(
        Object.entries(SECURITY_SCHEMES).filter(([name]) => used.has(name as Credential)),
      ),
    },
  };
}

function describeOperation(
  id: string,
  operation: Operation,
  named: DocumentOptions["schemas"],
): Json {
  const { summary, credentials = [], isOpen = false, headers, query, body } = operation;
  const parameters = [
    ...parametersOf(operation.path).map((name) => {
      return { name, in: "path", required: true, schema: { type: "string" } };
    }),
    ...fieldsOf("query", query),
    ...fieldsOf("header", headers),
  ];
  return {
    operationId: id,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body && {
      requestBody: {
        required: true,
        content: { "application/json": { schema: refOrSchema(body, named) } },
      },
    }),
    responses: { ...answersOf(operation, named), ...refusalsOf(operation) },
    security: [...credentials.map((name) => ({ [name]: [] })), ...(isOpen ? [{}] : [])],
  };
}

function answersOf({ answer }: Operation, named: DocumentOptions["schemas"]): Json {
  const headers = { ...headersOf(EVERY_ANSWER), ...(answer.headers && headersOf(answer.headers)) };
  return {
    200: {
      description: answer.description,
      headers,
      content: { "application/json": { schema: refOrSchema(answer.schema, named) } },
    },
    ...(answer.isConditional === true && {
      304: { description: "What the client has is still so.", headers },
    }),
  };
}

function refusalsOf(operation: Operation): Json {
  const described = [...refusalsByStatus(operation)].map(([status, codes]) => {
    const headers = {
      ...headersOf(EVERY_ANSWER),
      ...(status === 401 && headersOf(UNAUTHENTICATED)),
      ...((status === 429 || status === 503) && headersOf(RETRYABLE)),
    };
    const schema = plain(z.toJSONSchema(problemSchema(status, codes), { io: "input" }));
    return [
      status,
      {
        description: `${STATUS_CODES[status]}: ${codes.join(", ")}`,
        headers,
        content: { "application/problem+json": { schema } },
      },
    ];
  });
  return Object.fromEntries(described);
}

function headersOf(fields: z.ZodObject): Json {
  return Object.fromEntries(
    membersOf(fields).map(({ name, description, schema, required }) => [
      name,
      { ...(description === undefined ? {} : { description }), required, schema },
    ]),
  );
}

function fieldsOf(place: "query" | "header", fields: z.ZodObject | undefined): Json[] {
  if (fields === undefined) return [];
  return membersOf(fields).map(({ name, description, schema, required }) => ({
    name,
    in: place,
    ...(description === undefined ? {} : { description }),
    required,
    schema,
  }));
}

function membersOf(fields: z.ZodObject) {
  const { properties = {}, required = [] } = z.toJSONSchema(fields, { io: "input" });
  return Object.entries(properties).map(([name, member]) => {
    const { description, ...schema } = plain(member as Json);
    return {
      name,
      description: description as string | undefined,
      schema,
      required: required.includes(name),
    };
  });
}

// The input form of each schema, because it allows unknown members, which both sides ignore (protocol §3).
function componentsOf(named: z.core.$ZodRegistry<{ id: string }>): Json {
  const { schemas } = z.toJSONSchema(named, { io: "input", uri: referenceTo });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, plain(schema as Json)]),
  );
}

function refOrSchema(schema: z.ZodType, named: DocumentOptions["schemas"]): Json {
  const found = Object.entries(named).find(([, candidate]) => candidate === schema);
  if (found === undefined) throw new TypeError("the schema of an operation has no name");
  return { $ref: referenceTo(found[0]) };
}

function referenceTo(name: string): string {
  return `#/components/schemas/${name}`;
}

// The document says once what its schemas are written in, and where each of them is.
function plain({ $schema: _schema, $id: _id, ...schema }: Json): Json {
  return schema;
}
