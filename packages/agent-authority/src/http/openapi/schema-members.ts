import * as z from "zod";

/** A JSON value of a document. */
// biome-ignore lint/suspicious/noExplicitAny: what OpenAPI allows is not retold in types; the tests check the whole
export type Json = Record<string, any>;

/** One member of an object schema: a parameter or a field of an answer. */
export interface SchemaMember {
  readonly name: string;
  readonly description: string | undefined;
  readonly schema: Json;
  readonly required: boolean;
}

/** The members of an object schema, each with its JSON Schema. */
export function membersOf(fields: z.ZodObject): readonly SchemaMember[] {
  const { properties = {}, required = [] } = z.toJSONSchema(fields, { io: "input" });
  return Object.entries(properties).map(([name, member]) => {
    const { description, ...schema } = plain(member as Json);
    return { name, description, schema, required: required.includes(name) };
  });
}

/** A JSON Schema without what the document says once: what its schemas are written in, and where each of them is. */
export function plain({ $schema: _schema, $id: _id, ...schema }: Json): Json {
  return schema;
}

/** A reference to a component. */
export function referenceTo(kind: string, name: string): { readonly $ref: string } {
  return { $ref: `#/components/${kind}/${name}` };
}
