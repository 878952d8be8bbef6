/**
 * Fetches the package of a bench as the engine does and says what that took. Arguments: URL, directory; the CIK comes
 * by stdin.
 */
import { readFileSync } from "node:fs";
import { fetchPackage } from "../../src/ota/download/fetch-package.ts";
import { defaultOtaLimits } from "../../src/ota/index.ts";
import { contentId, sceneOptions } from "../support/download-scene.ts";

const [url = "", directory = ""] = process.argv.slice(2);
const { options, client } = sceneOptions({ url, cik: readFileSync(0, "utf8").trim(), directory });
// Whatever is loaded late is there before it begins, as in a daemon that has checked in.
await client.contentInfo(contentId);
const before = { residentKb: status("VmRSS"), writtenBytes: written() };
const startedMs = performance.now();
await fetchPackage({ ...options, limits: defaultOtaLimits });
const ms = performance.now() - startedMs;
const growthBytes = (status("VmHWM") - before.residentKb) * 1024;
process.stdout.write(JSON.stringify({ ms, growthBytes, writtenBytes: written() - before.writtenBytes }));
client.close();

function status(name: string): number {
  const text = readFileSync("/proc/self/status", "latin1");
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
}

/** What this process made the kernel write to disk. */
function written(): number {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync("/proc/self/io", "latin1"))?.[1] ?? 0);
}
