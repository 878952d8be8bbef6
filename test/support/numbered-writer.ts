/**
 * Writes numbered lines to stdout, in blocks that end anywhere. usage: numbered-writer.ts BYTES [BYTES_PER_SECOND]
 */
import { writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { numberedLine } from "./numbered-lines.ts";

const [bytes = 0, bytesPerSecond = Number.POSITIVE_INFINITY] = process.argv.slice(2).map(Number);
const began = performance.now();
let block = "";
let next = 0;
for (let written = 0; written < bytes; ) {
  const size = 1 + ((next * 7919) % 30_000);
  while (block.length < size) block += numberedLine(next++);
  const due = Buffer.from(block.slice(0, size), "latin1");
  block = block.slice(size);
  for (let at = 0; at < due.length; ) at += writeSync(1, due, at);
  written += due.length;
  const aheadMs = (written / bytesPerSecond) * 1000 - (performance.now() - began);
  if (aheadMs > 5) await delay(aheadMs);
}
// The line that was begun.
writeSync(1, block.slice(0, block.indexOf("\n") + 1));
