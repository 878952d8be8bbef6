import { readFileSync } from "node:fs";
import { type Config, ConfigAccessError, loadConfig, type Paths } from "../config/index.ts";
import type { DeviceApi } from "../device-client/index.ts";
import { CommandError } from "./errors.ts";

/** What a command needs to speak to Murano as one device. */
export interface DeviceSettings {
  readonly baseUrl: string;
  readonly cik: string;
  readonly vendor: string | undefined;
  readonly model: string | undefined;
  readonly userAgent: string | undefined;
  /** PEM texts. */
  readonly ca: string | undefined;
  readonly clientCertificate: { readonly cert: string; readonly key: string } | undefined;
}

export interface OpenDevice {
  readonly api: Pick<DeviceApi, "read" | "write">;
  close(): Promise<void>;
}

export type ConnectDevice = (settings: DeviceSettings) => Promise<OpenDevice>;

export interface DeviceQuestion {
  readonly paths: Paths;
  readonly cik: string;
  /** The gateway itself is asking: its client certificate then counts too. */
  readonly asGateway: boolean;
  /** In place of the configured server. */
  readonly url: string | undefined;
}

/** Server and certificates come from the gateway's configuration. */
export function deviceSettings({ paths, cik, asGateway, url }: DeviceQuestion): DeviceSettings {
  const config = readableConfig(paths, url !== undefined);
  const device = config?.device;
  const baseUrl = url ?? device?.serverUrl;
  if (baseUrl === undefined) {
    throw new CommandError("no server is known: run 'gwe --set-product-id <product id>', or give --url URL");
  }
  const { certFile, keyFile, caFile } = device ?? {};
  return {
    baseUrl,
    cik,
    vendor: device?.vendor,
    model: device?.model,
    userAgent: config?.engine.userAgent,
    ca: caFile && readPem(caFile),
    clientCertificate:
      asGateway && certFile && keyFile ? { cert: readPem(certFile), key: readPem(keyFile) } : undefined,
  };
}

/** Apps of other users may not read the configuration; with a URL of their own they need not. */
function readableConfig(paths: Paths, optional: boolean): Config | undefined {
  try {
    return loadConfig(paths);
  } catch (error) {
    if (optional && error instanceof ConfigAccessError) return undefined;
    throw error;
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CommandError(`cannot read ${file} (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    });
  }
}
