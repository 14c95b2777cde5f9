import * as z from "zod";

/** What `GET /openapi.json` answers: an OpenAPI 3.1 document. Its own form is not described again. */
export const openApiSchema = z
  .looseObject({
    openapi: z
      .string()
      .regex(/^3\.1\.\d+$/)
      .describe("The version of OpenAPI."),
  })
  .describe("An OpenAPI document (https://spec.openapis.org/oas/v3.1.1).");
