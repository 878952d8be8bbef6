import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { GweError } from "../core/errors.ts";
import type { parseSupervisorConf } from "../supervisor/index.ts";
import type { Findings } from "./findings.ts";

export type ParseConf = typeof parseSupervisorConf;

/** What the engine gives its apps on any gateway. */
const givenVariables = ["PATH", "HOME", "LANG"];

/** A value that numbers, booleans, paths and text all accept. */
const standIn = "1";

/** Checks the `supervisor.conf` of an unpacked package with the engine's own parser. */
export function checkSupervisorConf(directory: string, appName: string, parseConf: ParseConf): Findings {
  const text = readFileSync(join(directory, "supervisor.conf"), "utf8");
  const needed = environmentNames(text);
  const warnings = needed
    .filter((name) => !givenVariables.includes(name))
    .map((name) => `supervisor.conf needs the environment variable ${name}: a gateway without it refuses it`);
  try {
    const conf = parseConf({
      text,
      appName,
      here: directory,
      logDir: "/var/log",
      hostName: "gateway",
      environment: Object.fromEntries(needed.map((name) => [name, standIn])),
    });
    warnings.push(...conf.warnings.map((warning) => `supervisor.conf: ${warning}`));
    const [process] = conf.processes;
    warnings.push(...commandWarnings(directory, process.command[0] ?? "", process.directory));
    return { faults: [], warnings };
  } catch (error) {
    if (!(error instanceof GweError)) throw error;
    const { message } = error;
    return {
      faults: [message.startsWith("supervisor.conf") ? message : `supervisor.conf ${message}`],
      warnings,
    };
  }
}

function environmentNames(text: string): string[] {
  return [...new Set([...text.matchAll(/%\(ENV_([^)]+)\)/g)].map(([, name = ""]) => name))];
}

/** The installer may still make the program, so that one that is not there is no fault. */
function commandWarnings(directory: string, program: string, workingDirectory: string): readonly string[] {
  if (program === "command") return ["supervisor.conf has no command: the app would fail to start"];
  const isPath = program.includes("/");
  const file = resolve(directory, workingDirectory, program);
  if (!isPath || !file.startsWith(`${directory}/`) || existsSync(file)) return [];
  const shown = JSON.stringify(file.slice(directory.length + 1));
  return [`supervisor.conf: the command's program ${shown} is not in the package`];
}
