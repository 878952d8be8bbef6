/**
 * `gwe` with other limits of its update pipeline, for tests that cannot wait as long as a gateway does. Arguments: the
 * limits as JSON; `--once`. Like `gwe`, it works for GWE_HOME.
 */
import { resolvePaths } from "../../src/config/index.ts";
import { runDaemon } from "../../src/daemon/index.ts";
import type { OtaLimits } from "../../src/ota/index.ts";

const [limits = "{}", ...flags] = process.argv.slice(2);
process.exitCode = await runDaemon({
  paths: resolvePaths(process.env),
  once: flags.includes("--once"),
  otaLimits: JSON.parse(limits) as Partial<OtaLimits>,
});
