import { z } from "zod";

// The part of OpenAPI 3.1 that our documents use, strictly: https://spec.openapis.org/oas/v3.1.1

// One sentence or more, each with its end.
const text = z.string().regex(/^[A-Z`][\s\S]*\.$/);
const reference = z.strictObject({ $ref: z.string().startsWith("#/components/") });
const schema = z.record(z.string(), z.unknown());
const headerObject = z.strictObject({
  description: text,
  required: z.boolean(),
  schema,
});
const header = z.union([headerObject, reference]);
const parameterObject = z.strictObject({
  name: z.string().min(1),
  in: z.enum(["path", "query", "header"]),
  description: text,
  required: z.boolean(),
  schema,
});
const parameter = z.union([parameterObject, reference]);
const content = z.record(z.string().regex(/^application\/[\w.+-]+$/), z.strictObject({ schema }));
const responseObject = z.strictObject({
  description: text,
  headers: z.record(z.string().regex(/^[a-z-]+$/), header),
  content: content.optional(),
});
const operation = z.strictObject({
  operationId: z.string().regex(/^\w+$/),
  summary: text,
  description: text,
  parameters: z.array(parameter).min(1),
  requestBody: z.strictObject({ description: text, required: z.boolean(), content }).optional(),
  responses: z.record(z.string().regex(/^[2345]\d\d$/), z.union([responseObject, reference])),
  security: z.array(z.record(z.string(), z.tuple([]))),
});
const securityScheme = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("http"), scheme: z.literal("bearer"), description: text }),
  z.strictObject({
    type: z.literal("apiKey"),
    in: z.literal("header"),
    name: z.string(),
    description: text,
  }),
]);

/** An OpenAPI document, and what its schema cannot say: unique operations and parameters, path parameters and credentials that are there. */
export const documentSchema = z
  .strictObject({
    openapi: z.literal("3.1.1"),
    info: z.strictObject({
      title: z.string(),
      description: text,
      version: z.string(),
      license: z.strictObject({ name: z.string(), identifier: z.string() }),
    }),
    servers: z.array(z.strictObject({ url: z.string().regex(/^(?:https?:\/\/|\/)/) })).min(1),
    paths: z.record(
      z.string().startsWith("/"),
      z.strictObject({ get: operation.optional(), post: operation.optional() }),
    ),
    components: z.strictObject({
      schemas: z.record(z.string().regex(/^[\w.-]+$/), schema),
      responses: z.record(z.string(), responseObject),
      parameters: z.record(z.string(), parameterObject),
      headers: z.record(z.string(), headerObject),
      securitySchemes: z.record(z.string(), securityScheme),
    }),
  })
  .superRefine(({ paths, components }, context) => {
    const ids = new Set<string>();
    const fail = (message: string) => context.addIssue({ code: "custom", message });
    for (const [path, item] of Object.entries(paths)) {
      for (const described of [item.get, item.post]) {
        if (described === undefined) continue;
        const { operationId, responses, security } = described;
        const parameters = described.parameters.map((each) =>
          "$ref" in each
            ? (components.parameters[each.$ref.split("/").at(-1) ?? ""] as never)
            : each,
        ) as z.output<typeof parameterObject>[];
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

/** The schemas, and the members of objects, that have no description: as `Agent.state`. A reference has that of what it refers to. */
export function undescribed(schemas: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(schemas).flatMap(([name, described]) => [
    ...(hasText(described) ? [] : [name]),
    ...undescribedMembers(name, described),
  ]);
}

function undescribedMembers(path: string, value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([keyword, inner]) =>
    keyword === "properties"
      ? Object.entries(inner as object).flatMap(([name, member]) => [
          ...(hasText(member) ? [] : [`${path}.${name}`]),
          ...undescribedMembers(`${path}.${name}`, member),
        ])
      : undescribedMembers(path, inner),
  );
}

function hasText(value: unknown): boolean {
  const { description, $ref } = value as { description?: unknown; $ref?: unknown };
  return $ref !== undefined || text.safeParse(description).success;
}

/** All references in a document. */
export function referencesOf(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === "$ref" ? [String(member)] : referencesOf(member),
  );
}
