import { z } from "zod";

// The part of OpenAPI 3.1 that our documents use, strictly: https://spec.openapis.org/oas/v3.1.1

const schema = z.record(z.string(), z.unknown());
const header = z.strictObject({
  description: z.string().optional(),
  required: z.boolean(),
  schema,
});
const parameter = z.strictObject({
  name: z.string().min(1),
  in: z.enum(["path", "query", "header"]),
  description: z.string().optional(),
  required: z.boolean(),
  schema,
});
const content = z.record(z.string().regex(/^application\/[\w.+-]+$/), z.strictObject({ schema }));
const operation = z.strictObject({
  operationId: z.string().regex(/^\w+$/),
  summary: z.string().min(1),
  parameters: z.array(parameter).min(1).optional(),
  requestBody: z.strictObject({ required: z.literal(true), content }).optional(),
  responses: z.record(
    z.string().regex(/^[2345]\d\d$/),
    z.strictObject({
      description: z.string().min(1),
      headers: z.record(z.string().regex(/^[a-z-]+$/), header),
      content: content.optional(),
    }),
  ),
  security: z.array(z.record(z.string(), z.tuple([]))),
});
const securityScheme = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("http"), scheme: z.literal("bearer"), description: z.string() }),
  z.strictObject({
    type: z.literal("apiKey"),
    in: z.literal("header"),
    name: z.string(),
    description: z.string(),
  }),
]);

/** An OpenAPI document, and what its schema cannot say: unique operations and parameters, path parameters and credentials that are there. */
export const documentSchema = z
  .strictObject({
    openapi: z.literal("3.1.1"),
    info: z.strictObject({ title: z.string(), description: z.string(), version: z.string() }),
    servers: z.array(z.strictObject({ url: z.string().regex(/^(?:https?:\/\/|\/)/) })).min(1),
    paths: z.record(
      z.string().startsWith("/"),
      z.strictObject({ get: operation.optional(), post: operation.optional() }),
    ),
    components: z.strictObject({
      schemas: z.record(z.string().regex(/^[\w.-]+$/), schema),
      securitySchemes: z.record(z.string(), securityScheme),
    }),
  })
  .superRefine(({ paths, components }, context) => {
    const ids = new Set<string>();
    const fail = (message: string) => context.addIssue({ code: "custom", message });
    for (const [path, item] of Object.entries(paths)) {
      for (const described of [item.get, item.post]) {
        if (described === undefined) continue;
        const { operationId, parameters = [], responses, security } = described;
        if (ids.has(operationId)) fail(`${operationId} stands there twice`);
        ids.add(operationId);
        const named = parameters
          .filter((each) => each.in === "path")
          .map((each) => `{${each.name}}`);
        const placed = path.match(/\{\w+\}/g) ?? [];
        if (named.join() !== placed.join()) fail(`${path} does not tell of its parameters`);
        const keys = parameters.map((each) => `${each.in} ${each.name}`);
        if (new Set(keys).size !== keys.length) fail(`${path} lists a parameter twice`);
        if (!("200" in responses)) fail(`${path} describes no answer`);
        for (const name of security.flatMap((each) => Object.keys(each))) {
          if (!(name in components.securitySchemes)) fail(`${path} takes an unknown credential`);
        }
      }
    }
  });

/** All references in a document. */
export function referencesOf(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === "$ref" ? [String(member)] : referencesOf(member),
  );
}
