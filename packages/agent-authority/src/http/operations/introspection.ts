import {
  AssertionRejected,
  createIntrospectionResponse,
  createVerifier,
  INTROSPECTION_PATH,
  parseIntrospectionRequest,
} from "@countersign/agent-assertion";
import { databaseDirectory, directoryWithin } from "../../database-directory.js";
import { authenticate } from "../../registry/authenticate.js";
import { Refusal } from "../../registry/refusal.js";
import { instantOf } from "../../registry/times.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import { readBearerToken, readHeaderLines } from "../read-headers.js";
import { noteHuman } from "../refusal-record.js";
import type { ServedOperation } from "../served-operation.js";
import { calledAuthorityOf } from "../target-uri.js";

/** `POST /v1/assertion/introspect`: checks an assertion for resource servers that keep no directory (protocol §5.9). */
export const introspectOperation: ServedOperation = {
  method: "post",
  path: INTROSPECTION_PATH,
  summary: "Checks an assertion for a resource server that keeps no directory.",
  description:
    "The checks are those of a verifier (protocol §5.9, §8), without a policy and without a binding: both stay with the resource server. An assertion that is not valid is answered with 200 and `active: false`.",
  credentials: ["resource_server"],
  body: PUBLIC_SCHEMAS.IntrospectionRequest,
  answer: {
    description: "What a verifier finds, also if that is a rejection.",
    schema: PUBLIC_SCHEMAS.Introspection,
  },
  refusals: ["forbidden"],
  audited: "introspection",
  addressLimit: "refused_requests",
  serve(context) {
    const { store, publicUrl, now } = context;
    // What it says of the authority is replaced by what the caller knows it by.
    const directory = databaseDirectory(store, publicUrl ?? "http://127.0.0.1");
    const verifierOfAll = createVerifier({ directory, now });
    return async (request) => {
      const token = readBearerToken(readHeaderLines(request.raw));
      const instant = instantOf(now);
      const reader = await authenticate(store, token, "resource_server", instant);
      noteHuman(request, reader);
      const { accounts } = reader.rights;
      const verifier =
        accounts === undefined
          ? verifierOfAll
          : createVerifier({ directory: directoryWithin(directory, accounts), now });
      const authority = calledAuthorityOf(context, request.raw, INTROSPECTION_PATH);
      if (authority === undefined) {
        throw new Refusal("forbidden", "this authority does not know its own address", {
          hint: "its operator sets the public URL, which the answer names",
        });
      }
      const field = parseIntrospectionRequest(request.body);
      try {
        const verified = await verifier.verify(field === "" ? undefined : field);
        return createIntrospectionResponse({ ...verified, authority });
      } catch (error) {
        if (!AssertionRejected.is(error)) throw error;
        return createIntrospectionResponse(error);
      }
    };
  },
};
