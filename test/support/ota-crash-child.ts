/**
 * A pipeline in a process of its own, which kills itself (SIGKILL, as a power cut would) at the n-th journal
 * transition. Arguments: home, n (0: never), the package file; then, as JSON, a command in place of its installation, and
 * the versions that do not start.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { OtaHarness, quickProbation } from "./ota-harness.ts";

const [home = "", killAt = "0", packageFile = "", command, fatalVersions = "[]"] = process.argv.slice(2);
let transitions = 0;
const harness = new OtaHarness(
  {
    limits: quickProbation,
    onTransition: ({ from, to }) => {
      transitions += 1;
      if (transitions === Number(killAt)) {
        // Synchronous, so that it is written before the end.
        process.stdout.write(`${from} -> ${to}\n`);
        process.kill(process.pid, "SIGKILL");
      }
    },
  },
  home,
);
for (const version of JSON.parse(fatalVersions) as string[]) harness.host.versionStates.set(version, "FATAL");
if (packageFile !== "") harness.content.files.set(basename(packageFile), readFileSync(packageFile));
process.stdout.write("ready\n");
// As an engine does after its start: engine_fetch still holds the command unless its clearing was acknowledged.
const { key } = harness.ota.accept({
  text: command ?? JSON.stringify({ install: [{ name: basename(packageFile) }] }),
  serverTimestamp: 1_700_000_000,
});
harness.ota.start();
harness.ota.acknowledgeCleared(key);
const alive = setInterval(() => undefined, 1_000);
await harness.ota.idle();
clearInterval(alive);
process.stdout.write("finished\n");
await harness.dispose();
