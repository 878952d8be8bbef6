import { basename } from "node:path";
import { fetchSignature } from "../download/fetch-signature.ts";
import { PackageLostError, StepFailure } from "../errors.ts";
import type { PackageSource } from "../journal.ts";
import { examineSignature } from "../verification/examine-signature.ts";
import { loadTrustedKeys } from "../verification/key-directory.ts";
import { decide, needsSignature } from "../verification/signature-policy.ts";
import { signatureSourceOf } from "../verification/signature-source.ts";
import type { TrustedKeys } from "../verification/trusted-keys.ts";
import type { WorkerAnswer } from "../worker/protocol.ts";
import { packageFile } from "./package-file.ts";
import type { StepContext } from "./step.ts";
import { askWorker } from "./worker-client.ts";

type Digests = Extract<WorkerAnswer, { outcome: "digest" }>;

/** What the download found out of the package. */
export interface ExpectedPackage {
  readonly sizeBytes: number | null;
  readonly sha256: string | null;
}

/**
 * Makes sure that the package on disk is the one that was meant, and of somebody who may: its size, its digest where
 * the command or the content's meta gave one, its signature where one is required. Nothing is read where none of it
 * is asked for, and read once for both; for the digest alone not even that where the bytes have just come in. (That the gzip data is whole shows while unpacking, before anything is used.)
 *
 * @param receivedSha256 of the bytes as this process received and synced them, where it did
 * @throws PackageLostError when the file is not there in full; StepFailure when it is another one, or not accepted;
 *   the signal's reason when aborted
 */
export async function verifyPackage(
  context: StepContext,
  expected: ExpectedPackage,
  receivedSha256?: string,
): Promise<void> {
  await requireWhole(context, expected.sizeBytes);
  let asked: Promise<Digests> | undefined;
  const digests = (): Promise<Digests> => {
    asked ??= askWorker(context, { task: "digest", file: packageFile(context) }, "digest");
    return asked;
  };
  const sha256 = async (): Promise<string> => receivedSha256 ?? (await digests()).sha256;
  await requireDigest(context, expected.sha256, sha256);
  await requireSignature(context, digests);
}

/** @throws PackageLostError when the package file is missing or of another size */
export async function requireWhole(context: StepContext, sizeBytes: number | null): Promise<void> {
  const present = await context.deps.platform.files.sizeOf(packageFile(context));
  if (present === undefined || (sizeBytes !== null && present !== sizeBytes)) {
    throw new PackageLostError("the package file is not whole", { context: { present, sizeBytes } });
  }
}

async function requireDigest(
  { job }: StepContext,
  expected: string | null,
  actualSha256: () => Promise<string>,
): Promise<void> {
  const fromCommand = job.source.kind === "content" ? job.source.sha256 : null;
  const wanted = expected ?? fromCommand;
  if (wanted === null) return;
  const sha256 = await actualSha256();
  if (sha256 === wanted) return;
  const who = fromCommand === null ? "the content's meta asks" : "the command asks";
  throw new StepFailure(`the package's SHA-256 is ${sha256}, ${who} for ${wanted}`);
}

async function requireSignature(context: StepContext, digests: () => Promise<Digests>): Promise<void> {
  const { deps, job } = context;
  const { requireSignature: policy, keysDirectory, logger } = deps;
  if (policy === "never") return;
  const keys = await loadTrustedKeys(keysDirectory);
  for (const problem of keys.problems) logger.warn("a file of the key directory cannot be used", { problem });
  if (!needsSignature(policy, keys)) return;
  const state = await examine(context, keys, digests);
  const decision = decide(policy, keys, state);
  if (decision.kind === "refused") throw new StepFailure(decision.reason);
  const { app, version } = job;
  logger.info("the package's signature is accepted", { app, version, keyId: decision.keyId });
}

async function examine(
  { deps, job, signal }: StepContext,
  keys: TrustedKeys,
  digests: () => Promise<Digests>,
): ReturnType<typeof examineSignature> {
  const { source } = job;
  if (source.kind === "none") throw new StepFailure("the job has no package");
  const inline = source.kind === "content" ? source.signature : null;
  const { content, clock, random, limits } = deps;
  const logger = deps.logger.child({ app: job.app });
  return await examineSignature({
    answer: await fetchSignature(signatureSourceOf(source, inline), {
      content,
      clock,
      random,
      limits,
      logger,
      signal,
    }),
    keys,
    packageFile: packageName(source),
    prehash: async () => Buffer.from((await digests()).blake2b512, "hex"),
  });
}

function packageName(source: Exclude<PackageSource, { kind: "none" }>): string {
  return source.kind === "content" ? source.id : basename(source.path);
}
