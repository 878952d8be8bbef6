/** Fails when a source file outgrows what fits in a reader's head: 500 lines (docs/conventions.md). */
import { globSync, readFileSync } from "node:fs";

const maxLines = 500;
const tooLong = globSync(["src/**/*.{ts,tsx}", "test/**/*.ts", "packaging/**/*.ts", "docs/examples/**/*.ts"])
  .map((file) => ({ file, lines: readFileSync(file, "utf8").split("\n").length - 1 }))
  .filter(({ lines }) => lines > maxLines);
for (const { file, lines } of tooLong) {
  console.error(`${file}: ${lines} lines; split it (at most ${maxLines}).`);
}
process.exit(tooLong.length === 0 ? 0 : 1);
