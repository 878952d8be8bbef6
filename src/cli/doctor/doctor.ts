import { engineVersion, type Paths } from "../../config/index.ts";
import { describeError } from "../../core/errors.ts";
import { CommandClock } from "../command-clock.ts";
import { connectByClock } from "../connect-device.ts";
import { deviceSettings } from "../device.ts";
import { CommandError } from "../errors.ts";
import { checkClock } from "./check-clock.ts";
import { checkConfiguration } from "./check-configuration.ts";
import { checkConnection } from "./check-connection.ts";
import { checkDisk, checkMemory } from "./check-disk.ts";
import { checkEngine } from "./check-engine.ts";
import { checkMurano } from "./check-murano.ts";
import { checkPermissions } from "./check-permissions.ts";
import { checkSystemd } from "./check-systemd.ts";
import { type Area, areas, type Finding, fault, note } from "./finding.ts";

export interface DoctorOptions {
  readonly paths: Paths;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export interface Examination {
  readonly version: string;
  readonly at: string;
  /** In the order of `areas`. */
  readonly findings: readonly Finding[];
}

/** Looks at all that an operator would be asked about. Changes nothing; a look that fails is a finding itself. */
export async function examine({ paths, env, now }: DoctorOptions): Promise<Examination> {
  const { config, findings } = checkConfiguration(paths);
  const clock = new CommandClock(now);
  const online = checkMuranoOnline(paths, env, clock);
  const looks: readonly (readonly [Area, () => Promise<readonly Finding[]>])[] = [
    ["network", () => online],
    ["clock", () => online.catch(() => undefined).then(() => checkClock(clock))],
    ["disk", () => checkDisk(paths, config?.engine.diskReserveMib ?? 0)],
    ["memory", async () => checkMemory()],
    ["permissions", async () => checkPermissions(paths)],
    ["engine", () => checkEngine(paths)],
    ["systemd", () => checkSystemd(paths)],
  ];
  const found = await Promise.all(
    looks.map(([area, look]) => look().catch((error: unknown) => [failedLook(area, error)])),
  );
  const all = [...findings, ...found.flat()];
  return {
    version: engineVersion,
    at: new Date(now()).toISOString(),
    findings: areas.flatMap((area) => all.filter((finding) => finding.area === area)),
  };
}

function failedLook(area: Area, error: unknown): Finding {
  return fault(
    area,
    `this could not be looked at: ${describeError(error)}`,
    "run 'gwe doctor' as root; if it stays so, report it as a bug",
  );
}

async function checkMuranoOnline(
  paths: Paths,
  env: DoctorOptions["env"],
  clock: CommandClock,
): Promise<readonly Finding[]> {
  let settings: ReturnType<typeof deviceSettings>;
  try {
    settings = deviceSettings({ paths, caller: "nobody", url: undefined });
  } catch (error) {
    if (error instanceof CommandError)
      return [note("network", "no server is known, so none could be asked", "'gwe setup'")];
    throw error;
  }
  const own = gatewaySettings(paths) ?? settings;
  const device = await connectByClock(own, clock);
  try {
    const { findings, isReached } = await checkConnection({ baseUrl: own.baseUrl, device, env, clock });
    const isKnown = own.cik !== undefined || own.clientCertificate !== undefined;
    return isReached && isKnown
      ? [...findings, ...(await checkMurano(device, new URL(own.baseUrl).host))]
      : findings;
  } finally {
    await device.close();
  }
}

/** As the gateway itself; undefined before it is activated. */
function gatewaySettings(paths: Paths): ReturnType<typeof deviceSettings> | undefined {
  try {
    return deviceSettings({ paths, caller: "gateway", url: undefined });
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}
