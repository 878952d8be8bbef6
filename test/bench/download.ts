import { execFileSync, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { contentId, DownloadScene, noise } from "../support/download-scene.ts";
import { atMost, type Figure, medianInTurns, plain } from "./figures.ts";

const packageBytes = 100_000_000;
const rounds = 3;
const child = join(import.meta.dirname, "download-child.ts");
/** As `bin/gwe` starts the daemon. */
const nodeFlags = ["--max-semi-space-size=1"];

/** A package of 100 MB from the emulator on loopback, beside `curl -o` and `sync` of the same file. */
export async function benchDownload(): Promise<readonly Figure[]> {
  await using scene = await DownloadScene.start(noise(packageBytes));
  let growthBytes = 0;
  let writtenBytes = 0;
  const medians = await medianInTurns(rounds, {
    curl: () => curlAndSync(scene),
    engine: async () => {
      const taken = await engineDownload(scene);
      growthBytes = Math.max(growthBytes, taken.growthBytes);
      writtenBytes = Math.max(writtenBytes, taken.writtenBytes);
      return taken.ms;
    },
  });
  return [
    plain("curl -o and sync of 100 MB", `${medians.curl.toFixed(0)} ms`),
    plain("download of 100 MB, resumable, durable", `${medians.engine.toFixed(0)} ms`),
    plain("download ÷ curl -o and sync", `${(medians.engine / medians.curl).toFixed(2)} times`),
    atMost("peak growth of resident memory, the worst run", growthBytes / 1e6, 40, "MB"),
    atMost("bytes written to disk ÷ package, the worst run", writtenBytes / packageBytes, 1.2, "times"),
  ];
}

async function engineDownload(scene: DownloadScene): Promise<{
  readonly ms: number;
  readonly growthBytes: number;
  readonly writtenBytes: number;
}> {
  const args = [...nodeFlags, child, scene.emulator.url, scene.directory];
  const engine = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  engine.stdin.end(scene.cik);
  const answer: unknown = JSON.parse(await text(engine.stdout));
  rmSync(scene.paths.whole);
  return answer as Awaited<ReturnType<typeof engineDownload>>;
}

async function curlAndSync(scene: DownloadScene): Promise<number> {
  const file = join(scene.directory, "curl");
  const url = `${scene.emulator.url}/provision/download?vendor=downloads&model=downloads&id=${contentId}`;
  const startedMs = performance.now();
  const curl = spawn("curl", ["-sSf", "-K", "-", "-o", file, url], { stdio: ["pipe", "inherit", "inherit"] });
  curl.stdin.end(`header = "X-Exosite-CIK: ${scene.cik}"\n`);
  await new Promise((resolve) => curl.once("close", resolve));
  execFileSync("sync", [file]);
  const ms = performance.now() - startedMs;
  rmSync(file);
  return ms;
}
