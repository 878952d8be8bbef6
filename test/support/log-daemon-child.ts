/** The log daemon, with the files that it drops kept by hard links in a directory `dropped`, in order. */
import { linkSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { runLogDaemon } from "../../src/supervisor/logd/run-log-daemon.ts";

const argv = process.argv.slice(2);
const dropped = join(argv[1] ?? "", "dropped");
mkdirSync(dropped, { recursive: true });
await runLogDaemon(argv, {
  // One clock for all processes of this machine.
  beforeDrop: (file) => linkSync(file, join(dropped, String(process.hrtime.bigint()).padStart(20, "0"))),
});
