import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Config, type ConfigChange, missingInterface } from "../../config/index.ts";
import { macAddress, networkInterfaceNames } from "../../platform/network-interfaces.ts";
import { type Flag, type ParsedArguments, parseArguments } from "../arguments.ts";
import { Dialogue } from "../dialogue.ts";
import { CommandError, UsageError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import { type Provisioning, parseProvisioning, serialFor } from "./provisioning.ts";

const setupFlags: readonly Flag[] = [
  { long: "product-id", short: "P", takes: "value", value: "PRODUCT_ID", help: "The Murano product." },
  {
    long: "iface",
    short: "i",
    takes: "value",
    value: "IFACE",
    help: "Its MAC address becomes the serial number.",
  },
  { long: "serial", short: "s", takes: "value", value: "SERIAL", help: "The serial number itself." },
  {
    long: "server-url",
    takes: "value",
    value: "URL",
    help: "Where Murano is, if not at the product's own host.",
  },
  {
    long: "ca-file",
    takes: "value",
    value: "FILE",
    help: "Authorities to trust in place of the built-in ones.",
  },
  {
    long: "file",
    short: "f",
    takes: "value",
    value: "FILE",
    help: "Take all from a provisioning file; ask nothing.",
  },
  { long: "offline", help: "Write the configuration and no more, as for an image." },
  { long: "replace", help: "Give an activated gateway another identity." },
  { long: "start", help: "Start the engine, or restart it, when all is well." },
];

const setupUsage =
  "gwe setup [--product-id ID] [--iface IFACE | --serial SERIAL] [--server-url URL] [--ca-file FILE] [--file FILE] [--offline] [--replace] [--start]";

/** What a gateway is to become. */
export interface SetupWish {
  readonly productId: string;
  /** An interface's MAC address is known only on the gateway itself: undefined for an image. */
  readonly serial: string | undefined;
  readonly iface: string | undefined;
  /** All else. */
  readonly changes: readonly ConfigChange[];
  readonly isOffline: boolean;
  readonly mayReplace: boolean;
  readonly start: boolean;
}

export interface WishContext {
  readonly terminal: Terminal;
  /** As it is now: what it says is proposed. */
  readonly device: Config["device"];
}

/**
 * From flags, a provisioning file, the present configuration, and, for what none of them says, questions.
 * @throws UsageError, CommandError
 */
export async function readWish(argv: readonly string[], context: WishContext): Promise<SetupWish> {
  const { flags, positionals } = parseArguments(setupFlags, argv);
  if (positionals.length > 0) throw new UsageError(`usage: ${setupUsage}`);
  if (flags.has("iface") && flags.has("serial")) {
    throw new UsageError("--iface and --serial exclude one another: which is it to be?");
  }
  const file = flags.get("file")?.[0];
  const provisioning = file === undefined ? undefined : parseProvisioning(readText(file), file);
  const isOffline = flags.has("offline");
  const given = givenIdentity(flags, provisioning, file);
  // Without a word on the command line, all is asked; else only what is not known.
  const known = argv.length === 0 ? given : { ...fromDevice(context.device), ...given };
  const { productId, place } = await complete(known, given, context, file !== undefined);
  const identity =
    "iface" in place ? fromInterface(place.iface, isOffline) : { serial: place.serial, iface: undefined };
  return {
    productId,
    ...identity,
    changes: [...(provisioning?.changes ?? []), ...flagChanges(flags)].filter(
      ({ key }) => !["vendor", "model", "uuid", "iface"].includes(key),
    ),
    isOffline,
    mayReplace: flags.has("replace"),
    start: flags.has("start"),
  };
}

type Place = { readonly iface: string } | { readonly serial: string };
interface Identity {
  readonly productId?: string;
  readonly place?: Place;
}

function givenIdentity(
  flags: ParsedArguments["flags"],
  provisioning: Provisioning | undefined,
  file: string | undefined,
): Identity {
  const changed = (key: string): string | undefined =>
    provisioning?.changes.findLast((change) => change.section === "device" && change.key === key)?.value ||
    undefined;
  const productId = flags.get("product-id")?.[0] ?? provisioning?.productId ?? changed("vendor");
  const iface = flags.get("iface")?.[0];
  const serial =
    flags.get("serial")?.[0] ?? (iface === undefined ? listedSerial(provisioning, file) : undefined);
  const place = placeOf({ iface, serial }) ?? placeOf({ iface: changed("iface"), serial: changed("uuid") });
  return { ...(productId !== undefined && { productId }), ...(place !== undefined && { place }) };
}

function placeOf({
  iface,
  serial,
}: {
  readonly iface: string | undefined;
  readonly serial: string | undefined;
}): Place | undefined {
  if (serial !== undefined) return { serial };
  return iface === undefined ? undefined : { iface };
}

function listedSerial(provisioning: Provisioning | undefined, file: string | undefined): string | undefined {
  if (provisioning?.serials === undefined || file === undefined) return undefined;
  const list = resolve(dirname(resolve(file)), provisioning.serials);
  const macs = networkInterfaceNames().flatMap((name) => macAddress(name) ?? []);
  const serial = serialFor(macs, readText(list), list);
  if (serial !== undefined) return serial;
  throw new CommandError(
    `${list} has no serial number for this gateway, whose MAC addresses are ${macs.join(", ") || "none"}`,
  );
}

function fromDevice({ vendor, serial, iface }: Config["device"]): Identity {
  const place = placeOf({ serial, iface });
  return { ...(vendor !== undefined && { productId: vendor }), ...(place !== undefined && { place }) };
}

async function complete(
  known: Identity,
  given: Identity,
  { terminal, device }: WishContext,
  mustNotAsk: boolean,
): Promise<{ readonly productId: string; readonly place: Place }> {
  if (known.productId !== undefined && known.place !== undefined)
    return { productId: known.productId, place: known.place };
  if (mustNotAsk) {
    throw new CommandError(
      `the provisioning file says nothing of ${known.productId === undefined ? "product_id" : "iface, uuid or serials"}`,
    );
  }
  const dialogue = new Dialogue(terminal, `without questions: ${setupUsage}`);
  try {
    const productId =
      known.productId ??
      (await dialogue.ask({
        text: "Product id",
        proposal: given.productId ?? device.vendor ?? "",
        fault: productFault,
      }));
    return { productId, place: known.place ?? (await askPlace(dialogue, device)) };
  } finally {
    await dialogue.end();
  }
}

function productFault(answer: string): string | undefined {
  return /^[\x21-\x7e]{1,100}$/.test(answer)
    ? undefined
    : "It is shown in Murano under the product's settings.";
}

async function askPlace(dialogue: Dialogue, { serial, iface }: Config["device"]): Promise<Place> {
  const usable = networkInterfaceNames().filter((name) => macAddress(name) !== undefined);
  const shown = usable.map((name) => `${name} (${macAddress(name)})`).join(", ");
  const answer = await dialogue.ask({
    text: `Serial number, or the interface whose MAC address it is to be${shown === "" ? "" : `: ${shown}`}`,
    proposal: serial ?? iface ?? usable[0] ?? "",
    fault: (text) =>
      /^[\x21-\x7e]([\x20-\x7e]{0,98}[\x21-\x7e])?$/.test(text) ? undefined : "1 to 100 characters of ASCII.",
  });
  return networkInterfaceNames().includes(answer) ? { iface: answer } : { serial: answer };
}

function fromInterface(iface: string, isOffline: boolean): Pick<SetupWish, "serial" | "iface"> {
  // An image's gateways have MAC addresses of their own, which each takes at its first start.
  if (isOffline) return { serial: undefined, iface };
  const serial = macAddress(iface);
  if (serial === undefined)
    throw new CommandError(missingInterface(iface, { macAddress, networkInterfaceNames }));
  return { serial, iface };
}

function flagChanges(flags: ParsedArguments["flags"]): readonly ConfigChange[] {
  const keys = { "server-url": "server_url", "ca-file": "ca_file" } as const;
  return Object.entries(keys).flatMap(([flag, key]) => {
    const value = flags.get(flag)?.[0];
    return value === undefined ? [] : [{ section: "device", key, value } as const];
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CommandError(`cannot read ${file} (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    });
  }
}
