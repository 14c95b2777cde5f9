/** How much of a limit of what lives at the same time is used, once a registration was admitted. */
export interface LimitUse {
  readonly of: "agents" | "ephemeral_agents" | "tasks";
  readonly used: number;
  readonly limit: number;
}
