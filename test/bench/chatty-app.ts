/** Writes lines to stdout as fast as asked. usage: chatty-app.ts BYTES_PER_SECOND SECONDS */
import { writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const [bytesPerSecond = 0, seconds = 0] = process.argv.slice(2).map(Number);
const block = Buffer.from(
  "2026-11-26T23:59:59.999Z a line as long as apps' lines often are, or so\n".repeat(900),
);
const began = performance.now();
let written = 0;
while (performance.now() - began < seconds * 1000) {
  written += writeSync(1, block, written % block.length);
  const aheadMs = (written / bytesPerSecond) * 1000 - (performance.now() - began);
  if (aheadMs > 2) await delay(aheadMs);
}
console.error(`wrote ${written} in ${performance.now() - began} ms`);
await delay(600_000);
