import type { DeviceClient } from "../device-client/index.ts";
import type { CommandClock } from "./command-clock.ts";
import type { ConnectDevice, DeviceSettings, OpenDevice } from "./device.ts";

/** The one place where a command gets its device client; loaded here, so that help and mistakes cost little. */
export const connectDevice: ConnectDevice = async (settings) => {
  const { DeviceClient } = await import("../device-client/index.ts");
  const client = new DeviceClient(settings);
  return { api: client, close: async () => client.close() };
};

/** Can be asked for the time whatever the system's clock says. */
export interface ClocklessDevice extends OpenDevice {
  readonly api: DeviceClient;
}

/** As `connectDevice`, its certificates judged at the time that `clock` knows. */
export async function connectByClock(
  settings: DeviceSettings,
  { certificateTime }: CommandClock,
): Promise<ClocklessDevice> {
  const { DeviceClient } = await import("../device-client/index.ts");
  const api = new DeviceClient({ ...settings, certificateTime });
  return { api, close: async () => api.close() };
}
