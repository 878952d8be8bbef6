import { PackageLostError, StepFailure } from "../errors.ts";
import { packageFile } from "./package-file.ts";
import type { StepContext } from "./step.ts";
import { askWorker } from "./worker-client.ts";

/**
 * Makes sure that the package on disk is the one that was meant: its size, and the digest where the command gave one.
 * (That the gzip data is whole shows while unpacking, before anything is used.)
 *
 * @throws PackageLostError when the file is not there in full; StepFailure when it is another one
 */
export async function verifyPackage(context: StepContext, sizeBytes: number | null): Promise<void> {
  const file = packageFile(context);
  const { source } = context.job;
  await requireWhole(context, sizeBytes);
  if (source.kind !== "content" || source.sha256 === null) return;
  const { sha256 } = await askWorker(context, { task: "digest", file }, "digest");
  if (sha256 !== source.sha256) {
    throw new StepFailure(`the package's SHA-256 is ${sha256}, the command asks for ${source.sha256}`);
  }
}

/** @throws PackageLostError when the package file is missing or of another size */
export async function requireWhole(context: StepContext, sizeBytes: number | null): Promise<void> {
  const present = await context.deps.platform.files.sizeOf(packageFile(context));
  if (present === undefined || (sizeBytes !== null && present !== sizeBytes)) {
    throw new PackageLostError("the package file is not whole", { context: { present, sizeBytes } });
  }
}
