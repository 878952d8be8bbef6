import type { Expansions } from "./expansions.ts";
import { gweSectionWarnings } from "./gwe-section.ts";
import type { IniSection } from "./ini-reader.ts";
import type { OptionReader } from "./option-reader.ts";
import type { SupervisorConf } from "./program.ts";
import { boolean, byteSize } from "./values.ts";

/** Options that are understood and have their effect. */
const effective = new Set(
  [
    "command process_name numprocs numprocs_start directory umask user environment priority autostart autorestart",
    "exitcodes startsecs startretries stopsignal stopwaitsecs stopasgroup killasgroup redirect_stderr serverurl",
    "stdout_logfile stdout_logfile_maxbytes stdout_logfile_backups stdout_syslog",
    "stderr_logfile stderr_logfile_maxbytes stderr_logfile_backups stderr_syslog",
  ].flatMap((line) => line.split(" ")),
);

/** Options that supervisord offers to its event listeners; the engine has none. */
const eventOptions = {
  stdout_capture_maxbytes: byteSize,
  stderr_capture_maxbytes: byteSize,
  stdout_events_enabled: boolean,
  stderr_events_enabled: boolean,
} as const;

/** One sentence for each thing in the file that has no effect. */
export function collectWarnings(
  sections: ReadonlyMap<string, IniSection>,
  section: IniSection,
  options: OptionReader,
  expansions: Expansions,
  conf: Omit<SupervisorConf, "warnings">,
): readonly string[] {
  const warnings: string[] = [];
  for (const [option, parse] of Object.entries(eventOptions)) {
    // Checked like all others: a typing mistake is one whether or not the option has an effect.
    if (options.optional<unknown>(option, expansions, parse) !== undefined) {
      warnings.push(`${option} has no effect: there are no event listeners.`);
    }
  }
  for (const [option, { line }] of section.options) {
    if (!effective.has(option) && !Object.hasOwn(eventOptions, option)) {
      warnings.push(`line ${line}: ${option} is not an option of supervisord's programs; it is ignored.`);
    }
  }
  for (const { name, line } of sections.values()) {
    if (name !== section.name && name !== "gwe") warnings.push(`line ${line}: section [${name}] is ignored.`);
  }
  if (conf.redirectStderr && options.has("stderr_logfile")) {
    warnings.push("stderr_logfile is ignored, since redirect_stderr is true.");
  }
  return [...warnings, ...gweSectionWarnings(sections.get("gwe"))];
}
