/** The log daemon, a program of its own that pm2 runs: it does its own file writes, and holds little of Node. */
import { runLogDaemon } from "./run-log-daemon.ts";

await runLogDaemon(process.argv.slice(2));
