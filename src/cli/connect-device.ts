import type { ConnectDevice } from "./device.ts";
import { CommandError } from "./errors.ts";

/** The one place where a command gets its device client. */
export const connectDevice: ConnectDevice = async () => {
  throw new CommandError("the device client is not part of this build");
};
