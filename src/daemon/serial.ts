import { type Config, ConfigError, ConfigStore, type Paths, resolveSerial } from "../config/index.ts";
import type { Clock } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { macAddress, networkInterfaceNames } from "../platform/network-interfaces.ts";
import { configIo } from "./config-io.ts";

export interface GatewaySerialOptions {
  readonly paths: Paths;
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
}

const lookAgainMs = 10_000;

/**
 * The gateway's serial number (spec: gateway-engine.md, 1). Where it is an interface's MAC address it is written back,
 * so that the gateway keeps its name; an interface that is not there yet (a modem that boots slowly) is waited for.
 */
export class GatewaySerial {
  private readonly options: GatewaySerialOptions;
  private known: string | undefined;

  /** @throws ConfigError when neither a serial number nor an interface is set */
  constructor(options: GatewaySerialOptions) {
    this.options = options;
    this.look((warning) =>
      options.logger.warn("the gateway's serial number is not known yet", { reason: warning }),
    );
  }

  current(): string | undefined {
    return this.known;
  }

  /** Resolves when it is known; rejects with the signal's reason. */
  async wait(signal: AbortSignal): Promise<void> {
    while (this.known === undefined) {
      await this.options.clock.sleep(lookAgainMs, signal);
      this.look(() => undefined);
    }
  }

  /** For a run that does not wait. @throws ConfigError where the interface is not there */
  require(): void {
    let missing = "";
    if (this.known === undefined) {
      this.look((warning) => {
        missing = warning;
      });
    }
    if (this.known === undefined) {
      throw new ConfigError([{ file: this.options.paths.gatewayCfg, expected: missing }]);
    }
  }

  private look(onMissing: (warning: string) => void): void {
    const { paths, config, logger } = this.options;
    const resolution = resolveSerial(config, { macAddress, networkInterfaceNames });
    if (resolution.kind === "missing-iface") {
      onMissing(resolution.warning);
      return;
    }
    this.known = resolution.serial;
    if (resolution.kind === "iface") {
      const { serial, iface } = resolution;
      logger.info("serial number taken from an interface", { serial, iface });
      try {
        new ConfigStore({ paths, io: configIo }).set([{ section: "device", key: "uuid", value: serial }]);
      } catch (error) {
        // A full disk: the next start takes it from the interface again.
        logger.error("the serial number cannot be written to Gateway.cfg", { error: describeError(error) });
      }
    }
  }
}
