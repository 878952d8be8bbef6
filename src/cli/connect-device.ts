import type { ConnectDevice } from "./device.ts";

/** The one place where a command gets its device client; loaded here, so that help and mistakes cost little. */
export const connectDevice: ConnectDevice = async (settings) => {
  const { DeviceClient } = await import("../device-client/index.ts");
  const client = new DeviceClient(settings);
  return { api: client, close: async () => client.close() };
};
