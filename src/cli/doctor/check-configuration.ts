import { existsSync } from "node:fs";
import {
  type Config,
  ConfigAccessError,
  ConfigError,
  loadConfig,
  loadQueueConfig,
  missingInterface,
  type Paths,
  readCik,
  requireProduct,
  resolveSerial,
} from "../../config/index.ts";
import { describeError } from "../../core/errors.ts";
import { macAddress, networkInterfaceNames } from "../../platform/network-interfaces.ts";
import { type Finding, fault, note, ok } from "./finding.ts";

const interfaces = { macAddress, networkInterfaceNames };

/** The configuration where it can be read, and what is wrong with it. */
export function checkConfiguration(paths: Paths): {
  readonly config: Config | undefined;
  readonly findings: readonly Finding[];
} {
  const findings: Finding[] = [];
  const attempt = <T>(ask: () => T): T | undefined => {
    try {
      return ask();
    } catch (error) {
      if (error instanceof ConfigAccessError) {
        findings.push(note("configuration", describeError(error), "run 'gwe doctor' as root"));
      } else if (error instanceof ConfigError) {
        findings.push(fault("configuration", describeError(error), "mend it, or run 'gwe setup'"));
      } else throw error;
      return undefined;
    }
  };
  const config = attempt(() => loadConfig(paths));
  attempt(() => loadQueueConfig(paths));
  if (config === undefined) return { config, findings };
  const product = attempt(() => requireProduct(config));
  const serial = attempt(() => resolveSerial(config, interfaces));
  if (product !== undefined)
    findings.push(ok("configuration", `product ${product.vendor}, at ${product.serverUrl}`));
  if (serial?.kind === "missing-iface") {
    findings.push(
      fault(
        "configuration",
        serial.warning,
        "set another one: 'gwe --set-iface <interface>', or bring it up",
      ),
    );
  } else if (serial !== undefined) findings.push(ok("configuration", `serial number ${serial.serial}`));
  findings.push(
    ...changedInterface(config),
    ...unreadableFiles(config),
    ...(attempt(() => [activation(paths, config)]) ?? []),
  );
  return { config, findings };
}

/** The serial number is kept when the hardware behind it is exchanged: right, but worth knowing. */
function changedInterface({ device: { serial, iface } }: Config): readonly Finding[] {
  if (serial === undefined || iface === undefined) return [];
  const mac = macAddress(iface);
  if (mac === serial) return [];
  if (mac === undefined) return [note("configuration", missingInterface(iface, interfaces))];
  return [
    note(
      "configuration",
      `the serial number is not the MAC address of ${iface}, ${mac}: it was set, or kept over an exchange`,
    ),
  ];
}

function unreadableFiles({ device }: Config): readonly Finding[] {
  return (["caFile", "certFile", "keyFile"] as const).flatMap((key) => {
    const file = device[key];
    return file === undefined || existsSync(file)
      ? []
      : [fault("configuration", `${file} is not there`, "put it there, or clear the key in Gateway.cfg")];
  });
}

function activation(paths: Paths, { device }: Config): Finding {
  if (device.certFile !== undefined)
    return ok("configuration", "a TLS client certificate speaks for this gateway");
  return readCik(paths.gatewayCfg) === undefined
    ? fault(
        "configuration",
        "not activated: there is no CIK",
        "'gwe setup', or start the engine, which activates by itself",
      )
    : ok("configuration", "activated: there is a CIK");
}
