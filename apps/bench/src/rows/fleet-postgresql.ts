import { fleetRow } from "../servers/fleet-row.ts";

export const row = fleetRow("fleet-postgresql", "PostgreSQL");
