import * as z from "zod";

/** What `GET /openapi.json` answers: an OpenAPI 3.1 document, of which no more is told. */
export const openApiSchema = z.looseObject({ openapi: z.string().regex(/^3\.1\.\d+$/) });
