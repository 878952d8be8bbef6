// Reads vitest's JSON report (its path is the only argument) and prints how many tests passed and failed, and then a line for
// each that failed, with the beginning of its message.
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(process.argv[2], "utf8"));
console.log(numPassedTests, numFailedTests);

const line = (...parts) =>
  console.log(stripVTControlCharacters(parts.join(": ")).replace(/\s+/g, " ").slice(0, 1000));
for (const { name, status, message, assertionResults } of testResults) {
  const file = relative(".", name);
  const failed = assertionResults.filter((test) => test.status === "failed");
  for (const test of failed) line(file, test.fullName, ...test.failureMessages);
  if (status === "failed" && failed.length === 0) line(file, message);
}
