import { engineVersion, type Paths } from "../../config/index.ts";
import { describeError } from "../../core/errors.ts";
import { DeviceClient } from "../../device-client/index.ts";
import { CommandClock } from "../command-clock.ts";
import { ControlClient } from "../control-client.ts";
import { deviceSettings } from "../device.ts";
import type { EngineFacts } from "./state.ts";

/** What the engine on trial says of itself. @param apps those that were taken over */
export async function askEngine({ controlSocket }: Paths, apps: readonly string[]): Promise<EngineFacts> {
  try {
    const status = await new ControlClient({ socketPath: controlSocket }).status();
    const known = new Set(status.apps.map(({ name }) => name));
    return {
      hasCheckedIn: status.checkIn.lastSuccessAtMs !== null,
      trouble: status.checkIn.lastError,
      appsMissing: apps.filter((name) => !known.has(name)),
    };
  } catch (error) {
    return { hasCheckedIn: false, trouble: describeError(error), appsMissing: apps };
  }
}

/** What came of it, where results of installations are looked for. It is told once, and the outcome stands without. */
export async function tellMurano(
  status: "installed" | "failed",
  output: string,
  { paths, say }: { readonly paths: Paths; readonly say: (line: string) => void },
): Promise<void> {
  try {
    const clock = new CommandClock(Date.now);
    const client = new DeviceClient({
      ...deviceSettings({ paths, caller: "gateway", url: undefined }),
      certificateTime: clock.certificateTime,
    });
    const signal = AbortSignal.timeout(60_000);
    try {
      await clock.askWherePlainlyWrong(client, { signal });
      const app = {
        name: "gwe-takeover",
        version: engineVersion,
        status,
        exit_code: null,
        output,
        output_cut: 0,
      };
      await client.write({ fetch_status: JSON.stringify({ id: "take-over", apps: [app] }) }, { signal });
    } finally {
      client.close();
    }
  } catch (error) {
    say(`Murano could not be told: ${describeError(error)}`);
  }
}
