import { type Stats, statSync } from "node:fs";
import { gatewayGroup, type Paths } from "../../config/index.ts";
import { groupId } from "../../platform/groups.ts";
import { type Finding, fault, note, ok, warning } from "./finding.ts";

/** Who may read secrets and give orders, and who should but can't. */
export function checkPermissions(paths: Paths): readonly Finding[] {
  const findings: Finding[] = [];
  const gid = paths.home === null ? groupId(gatewayGroup) : undefined;
  if (paths.home === null && gid === undefined) {
    findings.push(
      warning(
        "permissions",
        `there is no group ${gatewayGroup}: only root can use 'gwe' and 'gdc --gateway'`,
        `'groupadd --system ${gatewayGroup}', then restart the engine`,
      ),
    );
  }
  findings.push(
    ...secretFile(paths.gatewayCfg, 0o027, "0640", gid),
    ...secretFile(paths.pm2Home, 0o077, "0700", undefined),
  );
  for (const file of [paths.gatewayDb, paths.queueDb])
    findings.push(...secretFile(file, 0o077, "0600", undefined));
  findings.push(...socket(paths.controlSocket, gid));
  if (findings.every(({ level }) => level === "ok")) {
    return [ok("permissions", "secrets are readable for those only who may")];
  }
  return findings.filter(({ level }) => level !== "ok");
}

function secretFile(
  path: string,
  forbidden: number,
  mode: string,
  gid: number | undefined,
): readonly Finding[] {
  const stats = look(path);
  if (stats === undefined) return [];
  if (stats === "denied")
    return [note("permissions", `${path} is not for this user`, "run 'gwe doctor' as root")];
  const findings: Finding[] = [];
  if (stats.mode & forbidden) {
    const found = (stats.mode & 0o7777).toString(8).padStart(4, "0");
    findings.push(
      fault("permissions", `${path} holds secrets and has mode ${found}`, `'chmod ${mode} ${path}'`),
    );
  }
  if (gid !== undefined && stats.gid !== gid) {
    findings.push(
      warning(
        "permissions",
        `${path} is not of the group ${gatewayGroup}: its members cannot use 'gwe --gateway-cik'`,
        `'chgrp ${gatewayGroup} ${path}'`,
      ),
    );
  }
  return findings;
}

function socket(path: string, gid: number | undefined): readonly Finding[] {
  const stats = look(path);
  if (stats === undefined || stats === "denied" || gid === undefined) return [];
  if (stats.gid === gid && (stats.mode & 0o777) === 0o660) return [];
  return [
    warning(
      "permissions",
      `${path} is not open to the group ${gatewayGroup} alone`,
      "'systemctl restart gateway-engine' makes it anew",
    ),
  ];
}

function look(path: string): Stats | "denied" | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return "denied";
  }
}
