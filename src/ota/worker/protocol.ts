import * as z from "zod/mini";

/** What the unpacking process is asked. Paths are absolute. */
export const workerRequest = z.discriminatedUnion("task", [
  z.object({ task: z.literal("digest"), file: z.string() }),
  z.object({
    task: z.literal("unpack"),
    file: z.string(),
    /** Created by the worker; must not exist. */
    into: z.string(),
    /** Disk space that the unpacked package may take. */
    maxBytes: z.number(),
    maxMembers: z.number(),
    maxNameBytes: z.number(),
  }),
]);

export type WorkerRequest = z.infer<typeof workerRequest>;
export type UnpackRequest = Extract<WorkerRequest, { task: "unpack" }>;

const unpackedPackage = z.object({
  /** Where the app's own top level is, below `into`: "" or the name of the one directory that wraps it. */
  root: z.string(),
  files: z.number(),
  bytes: z.number(),
  /** null: there is none. `interpreter`: the program that its shebang names, null without a shebang. */
  installScript: z.nullable(z.object({ executable: z.boolean(), interpreter: z.nullable(z.string()) })),
  setupScript: z.boolean(),
  supervisorConf: z.boolean(),
});

export type UnpackedPackage = z.infer<typeof unpackedPackage>;

export const workerAnswer = z.discriminatedUnion("outcome", [
  /** Both in lower-case hexadecimal digits. */
  z.object({ outcome: z.literal("digest"), sha256: z.string(), blake2b512: z.string() }),
  z.object({ outcome: z.literal("unpacked"), package: unpackedPackage }),
  /** The package is at fault; the text is for the operator. */
  z.object({ outcome: z.literal("refused"), reason: z.string() }),
  /** The machine is at fault (disk full, read error). */
  z.object({ outcome: z.literal("failed"), reason: z.string() }),
]);

export type WorkerAnswer = z.infer<typeof workerAnswer>;
