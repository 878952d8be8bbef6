/**
 * The process that unpacks packages, apart from the daemon: what a hostile archive can cost in memory or time, it
 * costs here. One request as a line of JSON on stdin, one answer as a line on stdout (protocol.ts). It ends when its
 * stdin closes, so a killed engine leaves none behind. A program of its own, it does its own file writes.
 */
import { createInterface } from "node:readline";
import * as z from "zod/mini";
import { describeError } from "../../core/errors.ts";
import { syncFileSystem } from "../../platform/sync-file-system.ts";
import { digestPackage } from "../verification/package-digests.ts";
import { PackageRefusedError } from "./errors.ts";
import { type WorkerAnswer, workerRequest } from "./protocol.ts";
import { unpackPackage } from "./unpack.ts";

async function answer(line: string): Promise<WorkerAnswer> {
  try {
    const request = z.parse(workerRequest, JSON.parse(line));
    if (request.task === "digest") {
      const { sha256, blake2b512 } = await digestPackage(request.file);
      return { outcome: "digest", sha256, blake2b512: Buffer.from(blake2b512).toString("hex") };
    }
    return { outcome: "unpacked", package: await unpackPackage(request, { syncFileSystem }) };
  } catch (error) {
    if (error instanceof PackageRefusedError) return { outcome: "refused", reason: error.message };
    return { outcome: "failed", reason: describeError(error) };
  }
}

const input = createInterface({ input: process.stdin });
input.once("line", async (line) => {
  const text = JSON.stringify(await answer(line));
  process.stdout.write(`${text}\n`, () => process.exit(0));
});
input.once("close", () => process.exit(1));
