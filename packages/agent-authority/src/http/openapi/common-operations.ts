import { healthSchema } from "./health-schema.js";
import { openApiSchema } from "./openapi-schema.js";
import type { Operation } from "./operation.js";

/** The requests that every listener answers. */
export const COMMON_OPERATIONS: readonly Operation[] = [
  {
    id: "isAlive",
    method: "get",
    path: "/healthz",
    summary: "Says that the process answers.",
    answer: { description: "It does.", schema: healthSchema },
  },
  {
    id: "isReady",
    method: "get",
    path: "/readyz",
    summary: "Says that the process and its database answer.",
    answer: { description: "They do.", schema: healthSchema },
  },
  {
    id: "readOpenApi",
    method: "get",
    path: "/openapi.json",
    summary: "This document.",
    answer: { description: "OpenAPI 3.1.", schema: openApiSchema },
  },
];
