/**
 * The process that unpacks packages, apart from the daemon: what a hostile archive can cost in memory or time, it
 * costs here. One request as a line of JSON on stdin, one answer as a line on stdout (protocol.ts). It ends when its
 * stdin closes, so a killed engine leaves none behind. A program of its own, it does its own file writes.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import * as z from "zod/mini";
import { describeError } from "../../core/errors.ts";
import { PackageRefusedError } from "./errors.ts";
import { type WorkerAnswer, workerRequest } from "./protocol.ts";
import { unpackPackage } from "./unpack.ts";

async function digest(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) hash.update(chunk);
  return hash.digest("hex");
}

async function answer(line: string): Promise<WorkerAnswer> {
  try {
    const request = z.parse(workerRequest, JSON.parse(line));
    if (request.task === "digest") return { outcome: "digest", sha256: await digest(request.file) };
    return { outcome: "unpacked", package: await unpackPackage(request) };
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
