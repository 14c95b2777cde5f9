import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import * as z from "zod";
import type { BodySchema, Credential, Operation, Operations } from "../../operations/operation.js";
import { parametersOf } from "../../operations/operation-path.js";
import { headerReferences, headersOf, sharedHeaders } from "./describe-answers.js";
import { refusalsOf, sharedRefusals } from "./describe-refusals.js";
import { EVERY_ANSWER, EVERY_REQUEST, QUOTAS } from "./http-fields.js";
import { type Json, membersOf, plain, referenceTo } from "./schema-members.js";
import { SECURITY_SCHEMES } from "./security-schemes.js";

/** What an OpenAPI document is made from. */
export interface DocumentOptions {
  readonly title: string;
  readonly description: string;
  /** Base URLs, absolute or relative to the document's. */
  readonly servers: readonly string[];
  /** The schemas that have a name of their own. */
  readonly schemas: Readonly<Record<string, BodySchema>>;
  readonly operations: Operations;
}

/** An OpenAPI document. */
export interface OpenApiDocument {
  readonly openapi: "3.1.1";
  readonly info: Json;
  readonly servers: readonly Json[];
  readonly paths: Readonly<Record<string, Json>>;
  readonly components: Readonly<
    Record<"schemas" | "responses" | "parameters" | "headers" | "securitySchemes", Json>
  >;
}

const PARAMETERS: Readonly<Record<string, string>> = {
  agent_runtime_id: "The id of the agent, as its registration answered it.",
  task_id: "The id of the task.",
  id: "The id of what is meant, as its list shows it.",
};

/** Makes the OpenAPI 3.1 document of what a listener serves, from the schemas that requests and answers are held against. */
export function createDocument(options: DocumentOptions): OpenApiDocument {
  const operations = Object.entries(options.operations);
  const credentials = new Set(operations.flatMap(([, row]) => row.credentials ?? []));
  const paths: Record<string, Json> = {};
  for (const [id, operation] of operations) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: describeOperation(id, operation, options.schemas),
    };
  }
  const text = JSON.stringify(paths);
  const used = (kind: string, parts: Json): Json =>
    Object.fromEntries(
      Object.entries(parts).filter(([name]) =>
        text.includes(JSON.stringify(referenceTo(kind, name).$ref)),
      ),
    );
  return {
    openapi: "3.1.1",
    info: {
      title: options.title,
      description: options.description,
      version: "1",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: options.servers.map((url) => ({ url })),
    paths,
    components: {
      schemas: componentsOf(options.schemas),
      responses: used("responses", sharedRefusals()),
      parameters: used("parameters", sharedParameters()),
      headers: sharedHeaders(),
      securitySchemes: Object.fromEntries(
        Object.entries(SECURITY_SCHEMES).filter(([name]) => credentials.has(name as Credential)),
      ),
    },
  };
}

function sharedParameters(): Json {
  const inPath = Object.entries(PARAMETERS).map(([name, description]) => {
    return { name, in: "path", description, required: true, schema: { type: "string" } };
  });
  return Object.fromEntries(
    [...inPath, ...fieldsOf("header", EVERY_REQUEST)].map((parameter) => [
      parameter.name,
      parameter,
    ]),
  );
}

function describeOperation(
  id: string,
  operation: Operation,
  named: DocumentOptions["schemas"],
): Json {
  const { summary, description, credentials = [], isOpen = false, query, body } = operation;
  const parameters = [
    ...parametersOf(operation.path).map((name) => referenceTo("parameters", name)),
    ...fieldsOf("query", query),
    ...fieldsOf("header", operation.headers),
    // A field that the operation describes itself has another form there.
    ...Object.keys(EVERY_REQUEST.shape)
      .filter((name) => !(name in (operation.headers?.shape ?? {})))
      .map((name) => referenceTo("parameters", name)),
  ];
  return {
    operationId: id,
    summary,
    description,
    parameters,
    ...(body && {
      requestBody: {
        description: isZod(body) ? z.globalRegistry.get(body)?.description : v.getDescription(body),
        required: operation.isBodyOptional !== true,
        content: { "application/json": { schema: refOrSchema(body, named) } },
      },
    }),
    responses: { ...answersOf(operation, named), ...refusalsOf(operation) },
    security: [...credentials.map((name) => ({ [name]: [] })), ...(isOpen ? [{}] : [])],
  };
}

function answersOf({ answer, countedBy }: Operation, named: DocumentOptions["schemas"]): Json {
  const headers = {
    ...headerReferences(EVERY_ANSWER),
    ...(countedBy && headerReferences(QUOTAS)),
    ...(answer.headers && headersOf(answer.headers)),
  };
  return {
    200: {
      description: answer.description,
      headers,
      content: { "application/json": { schema: refOrSchema(answer.schema, named) } },
    },
    ...(answer.isConditional === true && {
      304: { description: "The answer that the client has is still right.", headers },
    }),
  };
}

function fieldsOf(place: "query" | "header", fields: z.ZodObject | undefined): Json[] {
  if (fields === undefined) return [];
  return membersOf(fields).map(({ name, description, schema, required }) => ({
    name,
    in: place,
    description,
    required,
    schema,
  }));
}

// The input form of each schema, because it allows unknown members, which both sides ignore (protocol §3).
function componentsOf(named: DocumentOptions["schemas"]): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) {
    if (isZod(schema)) registry.add(schema, { id });
  }
  const { schemas } = z.toJSONSchema(registry, {
    io: "input",
    uri: (name) => referenceTo("schemas", name).$ref,
  });
  return Object.fromEntries(
    Object.entries(named).map(([name, schema]) => [
      name,
      plain(isZod(schema) ? (schemas[name] as Json) : jsonSchemaOf(schema)),
    ]),
  );
}

// What a check demands besides is in the description, or its format in the metadata.
function jsonSchemaOf(schema: v.GenericSchema): Json {
  return toJsonSchema(schema, {
    errorMode: "ignore",
    overrideAction: ({ valibotAction, jsonSchema }) =>
      valibotAction.type === "metadata" && "metadata" in valibotAction
        ? { ...jsonSchema, ...(valibotAction.metadata as object) }
        : undefined,
  });
}

function isZod(schema: BodySchema): schema is z.ZodType {
  return schema instanceof z.ZodType;
}

function refOrSchema(schema: BodySchema, named: DocumentOptions["schemas"]): Json {
  const found = Object.entries(named).find(([, candidate]) => candidate === schema);
  if (found === undefined) throw new TypeError("the schema of an operation has no name");
  return referenceTo("schemas", found[0]);
}
