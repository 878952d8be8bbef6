import { GweError } from "../../core/errors.ts";
import type { DeviceApi } from "../../device-client/index.ts";
import type { IdentityStore, QueueIdentity, Vms } from "../types.ts";

/** Where a device's CIK is kept. */
export interface LinkStorage {
  current(): string | undefined;
  /** Resolves when the new one is durable; until then the old one is kept. */
  replace(cik: string): Promise<void>;
}

/** How a device gets a CIK. */
export interface LinkActivation {
  current(): string | undefined;
  /** Calls that come while one is under way share it. @throws DeviceApiError */
  activate(): Promise<void>;
  /** Writes a CIK that an earlier attempt could not write. */
  savePending(): Promise<void>;
}

/** One device's way to Murano. */
export interface DeviceLink {
  /** Activates again at a 401 and repeats the call, where there is an activation. */
  readonly api: Pick<DeviceApi, "record" | "read">;
  /** Undefined for a device that is known by its CIK alone. */
  readonly activation: LinkActivation | undefined;
}

export interface DeviceLinks {
  /** @throws GweError for an identity whose server cannot be told */
  open(device: { readonly vms: Vms | undefined; readonly storage: LinkStorage }): DeviceLink;
}

/** An identity that is not in the store. */
class UnknownIdentityError extends GweError {
  readonly code = "UNKNOWN_IDENTITY";
}

/** The ways to Murano of the queue's identities, opened when first needed. */
export class IdentityLinks {
  private readonly identities: IdentityStore;
  private readonly links: DeviceLinks;
  private readonly onRenewed: (id: number) => void;
  private readonly opened = new Map<number, DeviceLink>();

  constructor(dependencies: {
    readonly identities: IdentityStore;
    readonly links: DeviceLinks;
    /** Called when an identity has a new CIK. */
    readonly onRenewed: (id: number) => void;
  }) {
    this.identities = dependencies.identities;
    this.links = dependencies.links;
    this.onRenewed = dependencies.onRenewed;
  }

  /** @throws UnknownIdentityError, and what `DeviceLinks.open` throws */
  of(id: number): DeviceLink {
    const known = this.opened.get(id);
    if (known !== undefined) return known;
    const identity = this.identities.get(id);
    if (identity === undefined) throw new UnknownIdentityError(`no identity ${id}`);
    const link = this.links.open({ vms: identity.vms, storage: this.storage(identity) });
    this.opened.set(id, link);
    return link;
  }

  /** For a question of a device that the queue need not remember. */
  passing(cik: string): DeviceLink {
    return this.links.open({
      vms: undefined,
      storage: { current: () => cik, replace: () => Promise.resolve() },
    });
  }

  private storage({ id }: QueueIdentity): LinkStorage {
    return {
      current: () => this.identities.get(id)?.cik,
      replace: async (cik) => {
        await this.identities.change(id, { cik, state: "active", unauthorizedSinceMs: undefined });
        this.onRenewed(id);
      },
    };
  }
}
