import type { RolloutStore } from "../rollouts/rollout-store.ts";
import type { CommandStore, RosterEntry, SessionStore } from "./operators.ts";
import type {
  ActivationLogEntry,
  Client,
  ContentInfo,
  Dataport,
  DataportFormat,
  DataportRef,
  Member,
  MemberType,
  Model,
  Owner,
  Page,
  Point,
  Serial,
  SerialRange,
  Value,
} from "./types.ts";

/**
 * Everything the emulator remembers. A method that changes something resolves only when the change would survive a
 * power cut; each is one transaction. Readers see committed changes only.
 */
export interface Store {
  readonly owners: OwnerStore;
  readonly models: ModelStore;
  readonly serials: SerialStore;
  readonly clients: ClientStore;
  readonly dataports: DataportStore;
  readonly content: ContentStore;
  readonly groups: GroupStore;
  readonly sessions: SessionStore;
  readonly commands: CommandStore;
  readonly rollouts: RolloutStore;
  /** Commits what is under way and lets go of everything. */
  close(): Promise<void>;
}

export interface OwnerStore {
  /** The first owner, made on the first call. `token`, when given, replaces the owner's first token. */
  first(token: string | undefined): Promise<{ readonly owner: Owner; readonly token: string }>;
  byCik(cik: string): Promise<Owner | undefined>;
  byToken(token: string): Promise<Owner | undefined>;
  tokenIds(ownerId: number): Promise<readonly string[]>;
  token(ownerId: number, id: string): Promise<string | undefined>;
  /** Resolves to undefined when the id is taken. */
  addToken(ownerId: number, id: string): Promise<string | undefined>;
  removeToken(ownerId: number, id: string): Promise<boolean>;
  vendors(ownerId: number): Promise<readonly string[]>;
  addVendor(ownerId: number, vendor: string): Promise<boolean>;
  removeVendor(ownerId: number, vendor: string): Promise<boolean>;
}

export interface ModelStore {
  list(ownerId: number, page: Page): Promise<readonly Model[]>;
  find(name: string): Promise<Model | undefined>;
  /** Resolves to false when the name is taken. */
  add(model: Omit<Model, "id">): Promise<boolean>;
  update(modelId: number, change: { readonly rid: string; readonly options: string }): Promise<void>;
  /** With its serials, clients and content. Resolves to the names of blobs that nothing refers to any more. */
  remove(modelId: number): Promise<readonly string[]>;
  /** Whether the vendor of a request goes with this model: the model's own name or a vendor name of its owner. */
  hasVendor(model: Model, vendor: string): Promise<boolean>;
}

export type Activation =
  | { readonly outcome: "activated"; readonly cik: string; readonly clientId: number }
  | { readonly outcome: "unknown" }
  | { readonly outcome: "refused"; readonly reason: string };

export interface ActivateRequest {
  readonly model: Model;
  readonly sn: string;
  /** Take serials that were never added or enabled. */
  readonly open: boolean;
  readonly connection: string;
  readonly now: number;
}

export interface EnableRequest {
  readonly model: Model;
  readonly sn: string;
  /** The serial whose client moves here. */
  readonly oldSn: string | undefined;
  readonly connection: string;
  readonly now: number;
}

export type Enabled =
  | { readonly outcome: "created" | "regenerated" | "moved"; readonly rid: string; readonly clientId: number }
  | { readonly outcome: "unknown" | "unknown-old" | "taken" };

export interface SerialStore {
  list(modelId: number, page: Page, now: number): Promise<readonly Serial[]>;
  /** A serial that only a range allows is found too, unused. */
  find(modelId: number, sn: string, now: number): Promise<Serial | undefined>;
  /** All or none. Resolves to those that were there already; empty: all were added. */
  add(
    modelId: number,
    serials: readonly { readonly sn: string; readonly extra: string }[],
  ): Promise<readonly string[]>;
  /**
   * Gives the serials of these clients another text, made of the one that they have; all in one transaction. Resolves
   * to how many it changed.
   */
  changeExtra(clientIds: readonly number[], change: (extra: string) => string): Promise<number>;
  /** Resolves to how many there were. Their clients and data go too. */
  remove(modelId: number, sns: readonly string[]): Promise<number>;
  ranges(modelId: number): Promise<readonly SerialRange[]>;
  /** All or none; false when one was there already. */
  addRanges(modelId: number, ranges: readonly SerialRange[]): Promise<boolean>;
  removeRanges(modelId: number, ranges: readonly SerialRange[]): Promise<number>;
  log(modelId: number, sn: string): Promise<readonly ActivationLogEntry[]>;
  activate(request: ActivateRequest): Promise<Activation>;
  /** Voids the CIK and opens the activation window. */
  enable(request: EnableRequest): Promise<Enabled>;
  /** Voids the CIK and closes the window. Resolves to the client's id; undefined when there is none. */
  disable(modelId: number, sn: string, connection: string, now: number): Promise<number | undefined>;
}

export interface ClientStore {
  byCik(cik: string): Promise<Client | undefined>;
  byRid(rid: string): Promise<Client | undefined>;
  ofOwner(ownerId: number): Promise<readonly Client[]>;
  /** Every device that belongs to a serial. */
  roster(now: number): Promise<readonly RosterEntry[]>;
}

export interface Write {
  readonly alias: string;
  readonly value: Value;
}

export interface Reading extends Point {
  readonly alias: string;
}

export interface Series {
  readonly alias: string;
  readonly points: readonly Point[];
}

export interface HistoryQuery {
  readonly start: number;
  readonly end: number;
  readonly limit: number;
  readonly sort: "asc" | "desc";
}

export interface DataportStore {
  /**
   * All writes, then all reads, in one transaction. Writes get the second `now`, or the first free one after the
   * alias' latest value: so that each value of an alias has its own second, in the order of arrival.
   * Resolves to the readings of those that have a value.
   */
  writeRead(
    clientId: number,
    writes: readonly Write[],
    reads: readonly string[],
    now: number,
  ): Promise<readonly Reading[]>;
  read(clientId: number, aliases: readonly string[]): Promise<readonly Reading[]>;
  /** Points at seconds that hold a value already change nothing. */
  record(clientId: number, series: readonly Series[], now: number): Promise<void>;
  /** Timestamp of the latest value. */
  currentTs(clientId: number, alias: string): Promise<number | undefined>;
  /** The oldest value after `since` and not after the latest. */
  nextAfter(clientId: number, alias: string, since: number): Promise<Point | undefined>;
  history(dataportId: number, query: HistoryQuery): Promise<readonly Point[]>;
  find(clientId: number, ref: DataportRef): Promise<Dataport | undefined>;
  list(clientId: number): Promise<readonly Dataport[]>;
  /** Resolves to undefined when the alias is taken. */
  create(clientId: number, dataport: NewDataport): Promise<Dataport | undefined>;
  /** Gives or (null) takes away an alias; false when it is taken. */
  map(dataportId: number, alias: string | null): Promise<boolean>;
  drop(dataportId: number): Promise<void>;
  flush(dataportId: number): Promise<void>;
}

export interface NewDataport {
  readonly alias: string | null;
  readonly name: string;
  readonly format: DataportFormat;
  readonly now: number;
}

export interface ContentStore {
  list(modelId: number, page: Page): Promise<readonly ContentInfo[]>;
  /** Those that this serial may have. */
  listFor(modelId: number, sn: string, now: number): Promise<readonly ContentInfo[]>;
  find(modelId: number, id: string): Promise<ContentInfo | undefined>;
  /** Whether a serial may have protected content: both are in one group, directly or through groups in it. */
  isAuthorised(modelId: number, sn: string, contentId: string, now: number): Promise<boolean>;
  add(
    modelId: number,
    content: {
      readonly id: string;
      readonly meta: string;
      readonly protected: boolean;
      readonly now: number;
    },
  ): Promise<boolean>;
  /** Resolves to the blob that this one replaces. */
  setBlob(
    modelId: number,
    id: string,
    blob: {
      readonly name: string;
      readonly contentType: string;
      readonly sizeBytes: number;
      readonly now: number;
      /** In place of the content's meta; as it was when absent. */
      readonly meta?: string;
    },
  ): Promise<{ readonly found: boolean; readonly replaced: string | undefined }>;
  remove(
    modelId: number,
    id: string,
  ): Promise<{ readonly found: boolean; readonly blob: string | undefined }>;
  /** Names of all blobs that something refers to. */
  blobs(): Promise<ReadonlySet<string>>;
}

export interface GroupStore {
  list(modelId: number, page: Page): Promise<readonly { readonly id: string; readonly meta: string }[]>;
  exists(modelId: number, id: string): Promise<boolean>;
  add(modelId: number, id: string, meta: string): Promise<boolean>;
  remove(modelId: number, id: string): Promise<boolean>;
  members(modelId: number, group: string, page: Page, filter: MemberFilter): Promise<readonly Member[]>;
  /** All or none; false when one was there already. */
  addMembers(modelId: number, group: string, members: readonly Member[]): Promise<boolean>;
  removeMembers(
    modelId: number,
    group: string,
    members: readonly { readonly type: MemberType; readonly id: string }[],
  ): Promise<number>;
  /** Groups that this serial is a direct member of. */
  ofSerial(modelId: number, sn: string): Promise<readonly string[]>;
}

export interface MemberFilter {
  readonly type?: MemberType;
  readonly id?: string;
}
