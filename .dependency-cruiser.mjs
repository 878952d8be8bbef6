// The rooms of src/ and who may enter them: docs/architecture.md gives the reasons at length.
const features = ["device-client", "ota", "supervisor", "telemetry", "queue", "engine", "app-builder"];

/** Composition roots of programs of their own: no daemon hands them anything. */
const ownPrograms = "^src/(supervisor/logd/run-log-daemon|ota/worker/main)\\.ts$";

/** Value imports only: `import type` of another feature's index.ts is how features know each other's shapes. */
const featureRules = features.map((name) => ({
  name: `feature-${name}`,
  severity: "error",
  comment: `src/${name} may import core (values) and types from other features' index.ts or platform; the daemon hands it everything else by constructor, so that it can be tested and replaced alone.`,
  from: { path: `^src/${name}/`, pathNot: ownPrograms },
  to: { path: "^src/", pathNot: [`^src/${name}/`, "^src/core/"], dependencyTypesNot: ["type-only"] },
}));

export default {
  forbidden: [
    {
      name: "no-circular",
      severity: "error",
      comment: "A cycle means that two modules are one: merge them or move the shared part to core.",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "core-imports-nothing",
      severity: "error",
      comment: "core/ holds pure types and functions; a node: import there would drag I/O into every test.",
      from: { path: "^src/core/" },
      to: { pathNot: "^src/core/" },
    },
    {
      name: "platform-imports-core",
      severity: "error",
      comment: "platform/ adapts the operating system to core's ports and knows nothing of gateways.",
      from: { path: "^src/platform/" },
      to: { path: "^src/", pathNot: ["^src/platform/", "^src/core/"] },
    },
    {
      name: "config-imports-core",
      severity: "error",
      comment: "config/ is read by all, so it may depend on nobody but core (and platform's types).",
      from: { path: "^src/config/" },
      to: { path: "^src/", pathNot: ["^src/config/", "^src/core/"], dependencyTypesNot: ["type-only"] },
    },
    ...featureRules,
    {
      name: "public-face",
      severity: "error",
      comment:
        "A feature's public face is its index.ts: nobody reaches past it, so its inside can change freely.",
      from: { path: "^src/([^/]+)/" },
      to: {
        path: "^src/(device-client|ota|supervisor|telemetry|queue|engine|app-builder|emulator|config)/",
        pathNot: ["^src/$1/", "^src/[^/]+/index\\.ts$"],
      },
    },
    {
      name: "emulator-stands-alone",
      severity: "error",
      comment:
        "The emulator is written from the spec alone: sharing code with the client would let both share one misreading (docs/adr/0004).",
      from: { path: "^src/emulator/" },
      to: { path: "^src/", pathNot: ["^src/emulator/", "^src/core/"] },
    },
    {
      name: "nobody-imports-the-emulator",
      severity: "error",
      comment: "The emulator is a program of its own; production code must run against any Murano.",
      from: { path: "^src/", pathNot: "^src/emulator/" },
      to: { path: "^src/emulator/" },
    },
    {
      name: "cli-is-a-leaf",
      severity: "error",
      comment: "Commands are thin and call into features; nothing calls into a command.",
      from: { path: "^src/", pathNot: "^src/cli/" },
      to: { path: "^src/cli/" },
    },
    {
      name: "daemon-is-the-root",
      severity: "error",
      comment: "Only the gwe command starts the daemon (by dynamic import); features never reach up to it.",
      from: { path: "^src/", pathNot: "^src/(daemon|cli)/" },
      to: { path: "^src/daemon/" },
    },
    {
      name: "writes-in-platform",
      severity: "error",
      comment: "Child processes start in platform/ only, where limits and process groups are set right.",
      from: { path: "^src/", pathNot: "^src/platform/" },
      to: { path: "^(node:)?child_process$", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "no-dev-dependency-in-src",
      severity: "error",
      comment: "What ships must be a dependency, or a release would lack it.",
      from: { path: "^src/" },
      to: {
        dependencyTypes: ["npm-dev"],
        dependencyTypesNot: ["type-only"],
        pathNot: "node_modules/@types/",
      },
    },
    {
      name: "not-to-unresolvable",
      severity: "error",
      comment: "An import that resolves to nothing is a typing mistake.",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules|^dist/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};
