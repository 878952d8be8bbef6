import { existsSync } from "node:fs";
import type { Paths } from "../../config/index.ts";
import { findSupervisorctl, Supervisord } from "../take-over/supervisord.ts";
import { runCommand } from "./command-output.ts";
import { type Finding, fault, note, ok, warning } from "./finding.ts";

const engine = "gateway-engine.service";
const pm2 = "gateway-engine-pm2.service";

/** Facts of one unit, as `systemctl show` prints them. */
export type UnitFacts = Readonly<Record<string, string>>;

/** The units that start and watch the engine, and what else would do its work. */
export async function checkSystemd(paths: Paths): Promise<readonly Finding[]> {
  if (paths.home !== null) return [note("systemd", "an engine under GWE_HOME has no units")];
  if (!existsSync("/run/systemd/system")) {
    return [
      note(
        "systemd",
        "no systemd runs here: the system's own init has to start the engine, and start it again",
      ),
    ];
  }
  const findings: Finding[] = [];
  for (const unit of [engine, pm2]) {
    const shown = await runCommand("systemctl", ["show", unit]);
    if (shown === undefined) return [note("systemd", "systemctl does not answer")];
    findings.push(...judgeUnit(unit, factsIn(shown)));
  }
  return [...findings, ...(await rivals())];
}

export function factsIn(text: string): UnitFacts {
  return Object.fromEntries(
    text.split("\n").flatMap((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );
}

export function judgeUnit(unit: string, facts: UnitFacts): readonly Finding[] {
  if (facts.LoadState !== "loaded") {
    return [
      fault(
        "systemd",
        `${unit} is ${facts.LoadState ?? "unknown"}`,
        "install the engine anew: its install.sh places the units",
      ),
    ];
  }
  const findings: Finding[] = [];
  if (facts.NeedDaemonReload === "yes") {
    findings.push(
      warning(
        "systemd",
        `${unit} has changed on disk`,
        "'systemctl daemon-reload', then 'systemctl restart gateway-engine'",
      ),
    );
  }
  // The other is wanted by the engine's.
  if (unit === engine && facts.UnitFileState !== "enabled") {
    findings.push(
      warning(
        "systemd",
        `${unit} is ${facts.UnitFileState || "not enabled"}: it does not start at boot`,
        `'systemctl enable ${unit}'`,
      ),
    );
  }
  const state = `${facts.ActiveState} (${facts.SubState})`;
  if (facts.ActiveState === "active") findings.push(ok("systemd", `${unit} is ${state}`));
  else
    findings.push(
      fault(
        "systemd",
        `${unit} is ${state}, last result ${facts.Result}`,
        `'journalctl -u ${unit} -n 50' says why; 'systemctl start ${unit}'`,
      ),
    );
  if (facts.Result === "watchdog") {
    findings.push(
      warning("systemd", `${unit} hung and was replaced`, "'gwe support-bundle', and report it as a bug"),
    );
  }
  if (Number(facts.NRestarts) > 5) {
    findings.push(
      warning(
        "systemd",
        `${unit} was started ${facts.NRestarts} times by itself since boot`,
        `'journalctl -u ${unit} -p warning' says why`,
      ),
    );
  }
  return findings;
}

/** The original engine ran under supervisord. */
async function rivals(): Promise<readonly Finding[]> {
  const supervisorctl = findSupervisorctl();
  if (supervisorctl === undefined) return [];
  const states = (await new Supervisord(supervisorctl).states()) ?? {};
  const both = Object.entries(states).filter(
    ([name, state]) => /^(gwe|gmq|GatewayEngine)\b/.test(name) && /^(RUNNING|STARTING)$/.test(state),
  );
  if (both.length === 0) return [];
  return [
    fault(
      "systemd",
      "the original Gateway Engine runs here too, under supervisord: both activate, and void each other's CIK",
      "'gwe import' takes its applications over; then 'systemctl disable --now supervisor'",
    ),
  ];
}
