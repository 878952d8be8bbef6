import { engineBuiltAtMs } from "../config/index.ts";
import { silentLogger } from "../core/logger.ts";
import { ClockKeeper } from "../daemon/clock-keeper.ts";
import { askServerTime } from "../daemon/time-inquiry.ts";
import type { CallOptions, DeviceClient } from "../device-client/index.ts";
import { BootClock, hasHardwareClock } from "../platform/boot-clock.ts";
import { bootId } from "../platform/process-table.ts";
import { systemClock } from "../platform/system-clock.ts";

/**
 * The engine's trust in clocks (docs/clock.md) for one run of a command that must get through to Murano on a machine in
 * 1970 too. It begins knowing nothing: `ask` first, and connections that follow verify certificates at the true time.
 */
export class CommandClock {
  private readonly keeper: ClockKeeper;
  /** Unix milliseconds by the system's clock. */
  readonly now: () => number;

  /** @param now as the property */
  constructor(now: () => number) {
    this.now = now;
    this.keeper = new ClockKeeper({
      wall: { ...systemClock, now },
      boot: new BootClock(),
      bootId: bootId(),
      hasHardwareClock: hasHardwareClock(),
      builtAtMs: engineBuiltAtMs,
      logger: silentLogger,
    });
  }

  /** For the device clients of this run. */
  get certificateTime(): () => number | undefined {
    return this.keeper.certificateTimeMs;
  }

  /** The system's clock tells a time before this program was written. */
  get isPlainlyWrong(): boolean {
    return this.keeper.isPlainlyWrong;
  }

  /** Murano has told the time in this run. */
  get isTold(): boolean {
    return this.keeper.isTrusted;
  }

  /**
   * Asks Murano for the time; a certificate that is wrong for the system's clock alone is no obstacle.
   * @returns by how much the system's clock is ahead of Murano's, milliseconds, to about a second
   * @throws DeviceApiError as `timestamp` and `timestampFromAnyTime`
   */
  async ask(
    client: Pick<DeviceClient, "timestamp" | "timestampFromAnyTime">,
    options: CallOptions,
  ): Promise<number> {
    const { keeper } = this;
    const timestamp = await askServerTime({ keeper, client, builtAtMs: engineBuiltAtMs }, options);
    return this.now() - timestamp * 1000;
  }

  /** Asks only where the system's clock cannot be right. @throws DeviceApiError as `ask` */
  async askWherePlainlyWrong(...[client, options]: Parameters<CommandClock["ask"]>): Promise<void> {
    if (this.isPlainlyWrong) await this.ask(client, options);
  }
}
