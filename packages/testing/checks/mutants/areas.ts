/** A part of the source whose guards must not go without a test. */
export interface Area {
  readonly package: string;
  /** Globs in the folder of the package, as Stryker's `mutate`. Tests are always left out. */
  readonly files: readonly string[];
  /** One mutant of so many is tried, so that an area takes minutes. */
  readonly oneIn: number;
}

export const AREAS: Readonly<Record<string, Area>> = {
  keys: { package: "agent-key", files: ["src/**/*.ts"], oneIn: 20 },
  identities: {
    package: "agent-identity",
    files: ["src/*.ts", "src/{client,identity-jwt,internal,schema}/**/*.ts"],
    oneIn: 60,
  },
  codex: { package: "codex-home", files: ["src/**/*.ts"], oneIn: 30 },
  files: { package: "private-file", files: ["src/**/*.ts"], oneIn: 25 },
  stores: { package: "agent-identity", files: ["src/store/**/*.ts"], oneIn: 25 },
  // Without the contracts of stores, which are tests.
  tasks: { package: "agent-task", files: ["src/**/*.ts", "!src/store-contract/**"], oneIn: 30 },
  connection: { package: "agent", files: ["src/**/*.ts"], oneIn: 5 },
  verifier: { package: "agent-assertion", files: ["src/{verify,directory}/**/*.ts"], oneIn: 25 },
  binding: { package: "agent-assertion", files: ["src/{binding,sign}/**/*.ts"], oneIn: 15 },
  transports: { package: "agent-assertion", files: ["src/{client,server}/**/*.ts"], oneIn: 30 },
  registry: { package: "agent-authority", files: ["src/registry/**/*.ts"], oneIn: 40 },
  database: {
    package: "agent-authority",
    // Without what PostgreSQL alone runs: its tests are left out.
    files: [
      "src/*.ts",
      "src/store/*.ts",
      "!src/store/postgres-{dialect,introspector,migration,patience,session}.ts",
    ],
    oneIn: 25,
  },
  gates: { package: "assertion-proxy", files: ["src/**/*.ts"], oneIn: 60 },
};
