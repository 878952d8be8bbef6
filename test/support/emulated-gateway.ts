/** The real client as a device of the emulator. */
import { randomUUID } from "node:crypto";
import type { DeviceClient, DeviceClientOptions } from "../../src/device-client/index.ts";
import { connect } from "./device-client-fixtures.ts";
import type { EmulatedDevice, TestEmulator } from "./emulator.ts";

export const product = "gwpid";

export interface EmulatedGateway {
  readonly client: DeviceClient;
  readonly owner: EmulatedDevice;
  readonly cik: string;
}

/** A client as a new device, activated; closed when the test has finished. */
export async function activatedGateway(
  emulator: TestEmulator,
  options: Partial<DeviceClientOptions> = {},
): Promise<EmulatedGateway> {
  const { device, cik } = await emulator.addActivated(product, randomUUID());
  return { client: clientOf(emulator, { cik, ...options }), owner: device, cik };
}

/** A client as nobody, unless `options` give it a CIK. */
export function clientOf(emulator: TestEmulator, options: Partial<DeviceClientOptions> = {}): DeviceClient {
  return connect(emulator.url, { vendor: product, model: product, cik: undefined, ...options }).client;
}
