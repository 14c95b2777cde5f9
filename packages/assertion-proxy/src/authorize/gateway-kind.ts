/** The kinds of gateways that may ask an authorizer. */
export const GATEWAY_KINDS = ["nginx", "caddy", "traefik", "envoy", "agentgateway"] as const;

/** The kind of a gateway that asks: by it the authorizer knows where method and target of the request in question are. */
export type GatewayKind = (typeof GATEWAY_KINDS)[number];

/** Where a gateway puts the facts of the request in question. Names are comparable. */
export interface GatewayFields {
  /** The fields with method and target. Absent: they are the asking request's own. */
  readonly pair?: { readonly method: string; readonly target: string } | undefined;
  /** The field that says how the body is framed, where bodies are not handed over. Absent: nothing says whether there is one. */
  readonly framing?: string | undefined;
}

const ORIGINAL = { method: "x-original-method", target: "x-original-uri" };
const FORWARDED = { method: "x-forwarded-method", target: "x-forwarded-uri" };

/** Where each kind of gateway puts it. One place for each kind: what stands elsewhere a client may have written. */
export const GATEWAY_FIELDS: Readonly<Record<GatewayKind, GatewayFields>> = {
  nginx: { pair: ORIGINAL, framing: "x-original-framing" },
  caddy: { pair: FORWARDED },
  traefik: { pair: FORWARDED },
  envoy: {},
  agentgateway: { pair: ORIGINAL },
};
