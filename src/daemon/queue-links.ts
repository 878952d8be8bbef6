import { type Config, hostOfProduct } from "../config/index.ts";
import { GweError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import {
  type Audit,
  type DeviceApi,
  DeviceClient,
  type DeviceClientOptions,
} from "../device-client/index.ts";
import { Credentials, reactivatingApi } from "../engine/index.ts";
import type { DeviceLink, DeviceLinks, LinkStorage, Vms } from "../queue/index.ts";

/** The gateway's own device: an app may write as it, by its serial number or its CIK. */
export interface GatewayDevice {
  readonly api: Pick<DeviceApi, "record" | "read">;
  readonly credentials: Pick<Credentials, "current" | "activate" | "savePending" | "canBeRenewed">;
  vms(): Vms | undefined;
  /** Whether a CIK is, or was, the gateway's. */
  owns(cik: string): boolean;
}

export interface QueueLinksOptions {
  readonly config: Config;
  readonly ca: string | undefined;
  readonly gateway: GatewayDevice;
  readonly audit: Audit;
  readonly clockOptions: Pick<DeviceClientOptions, "certificateTime" | "serverClock">;
  readonly logger: Logger;
}

/** It cannot be told where an identity's Murano is, or how it could get a CIK. */
class NoWayError extends GweError {
  readonly code = "NO_WAY_TO_MURANO";
}

/** Opens the ways to Murano of the queue's identities: one client for each server, shared by those who speak to it. */
export class QueueLinks implements DeviceLinks {
  private readonly options: QueueLinksOptions;
  private readonly clients = new Map<string, DeviceClient>();

  constructor(options: QueueLinksOptions) {
    this.options = options;
  }

  open({ vms, storage }: { readonly vms: Vms | undefined; readonly storage: LinkStorage }): DeviceLink {
    const cik = vms === undefined ? storage.current() : undefined;
    const isGateway =
      vms === undefined ? cik !== undefined && this.options.gateway.owns(cik) : this.isGateway(vms);
    if (isGateway) return this.gatewayLink(storage);
    if (vms === undefined) {
      const api = this.client(this.serverOf(undefined)).as({ cik: () => storage.current(), consumer });
      return { api, activation: undefined };
    }
    return this.activatedLink(vms, storage);
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
  }

  private isGateway({ vendor, model, sn }: Vms): boolean {
    const own = this.options.gateway.vms();
    return own !== undefined && own.vendor === vendor && own.model === model && own.sn === sn;
  }

  /** The engine's own credentials: a second activation would void the CIK that the engine uses. */
  private gatewayLink(storage: LinkStorage): DeviceLink {
    const { api, credentials } = this.options.gateway;
    const keep = async (): Promise<void> => {
      const cik = credentials.current();
      if (cik !== undefined && cik !== storage.current()) await storage.replace(cik);
    };
    return {
      api,
      activation: {
        current: () => credentials.current(),
        activate: async () => {
          if (!credentials.canBeRenewed)
            throw new NoWayError("the gateway is known by its certificate, it has no CIK");
          await credentials.activate();
        },
        savePending: async () => {
          await credentials.savePending();
          await keep();
        },
      },
    };
  }

  private activatedLink(vms: Vms, storage: LinkStorage): DeviceLink {
    const { vendor, model, sn } = vms;
    const logger = this.options.logger.child({ device: vms.sn });
    const client = this.client(this.serverOf(vendor));
    const session = client.as({
      vendor,
      model,
      cik: () => credentials.current(),
      consumer: `${model}/${sn}`,
    });
    const credentials: Credentials = new Credentials({
      storage,
      api: session,
      request: () => vms,
      hasCertificate: false,
      logger,
    });
    return { api: reactivatingApi(session, credentials, logger), activation: credentials };
  }

  private client(server: string): DeviceClient {
    const known = this.clients.get(server);
    if (known !== undefined) return known;
    const { config, ca, audit, clockOptions } = this.options;
    const { userAgent } = config.engine;
    const client = new DeviceClient({ baseUrl: server, ca, audit, userAgent, ...clockOptions });
    this.clients.set(server, client);
    return client;
  }

  /** A server that the operator named serves all; else each product has a host of its own. */
  private serverOf(vendor: string | undefined): string {
    const { device } = this.options.config;
    const own = device.vendor === undefined ? undefined : hostOfProduct(device.vendor);
    const isNamed = device.serverUrl !== undefined && device.serverUrl !== own;
    const server = isNamed || vendor === undefined ? device.serverUrl : hostOfProduct(vendor);
    if (server !== undefined) return server;
    throw new NoWayError(
      vendor === undefined
        ? "the gateway knows no server: set its product or server_url"
        : `the vendor ${JSON.stringify(vendor)} cannot be part of a host name: set the gateway's server_url`,
    );
  }
}

const consumer = "gmq";
