import { defineFeatures } from "./define-features.js";

/** The features of Countersign itself. Off: nothing is registered or signed; requests go out as their caller made them. On: they carry assertions. */
export const agentIdentityFeatures = /* @__PURE__ */ defineFeatures({
  use_agent_identity: {
    stage: "experimental",
    default: false,
    description: "Register an agent and its tasks, and sign requests with assertions.",
  },
});
