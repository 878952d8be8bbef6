import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { isModelName, modelNameRule } from "../model-name.ts";
import type { Client, Model, Owner } from "../store/types.ts";
import type { RouteParts } from "./parts.ts";

/** The device that a CIK belongs to; undefined for an unknown or void CIK, or one of another product than the host's. */
export async function findDevice(parts: RouteParts, call: Call): Promise<Client | undefined> {
  const cik = call.header("x-exosite-cik");
  const client = cik === undefined ? undefined : await parts.store.clients.byCik(cik);
  if (!client || (call.hostProduct !== undefined && call.hostProduct !== client.model)) return undefined;
  call.notes.device = client.sn;
  call.notes.product = client.model;
  call.onIdentified();
  parts.presence.note(client.id, parts.clock.nowS());
  return client;
}

/** @throws HttpProblem 401 */
export async function requireDevice(parts: RouteParts, call: Call): Promise<Client> {
  const client = await findDevice(parts, call);
  if (!client) throw new HttpProblem(401, "no valid X-Exosite-CIK");
  return client;
}

/** The product owner, by token or CIK. @throws HttpProblem 401 */
export async function requireOwner(parts: RouteParts, call: Call): Promise<Owner> {
  const token = call.header("x-exosite-token");
  const byToken = token === undefined ? undefined : await parts.store.owners.byToken(token);
  const owner = byToken ?? (await ownerByCik(parts, call));
  if (!owner) throw new HttpProblem(401, "no valid X-Exosite-Token or owner's X-Exosite-CIK");
  return owner;
}

/** For what a token alone may not do. @throws HttpProblem 401 */
export async function requireOwnerCik(parts: RouteParts, call: Call): Promise<Owner> {
  const owner = await ownerByCik(parts, call);
  if (!owner) throw new HttpProblem(401, "no valid owner's X-Exosite-CIK");
  return owner;
}

async function ownerByCik(parts: RouteParts, call: Call): Promise<Owner | undefined> {
  const cik = call.header("x-exosite-cik");
  return cik === undefined ? undefined : parts.store.owners.byCik(cik);
}

/** The owner's model that the path names first. @throws HttpProblem 401, 403 */
export async function requireModel(parts: RouteParts, call: Call): Promise<Model> {
  const owner = await requireOwner(parts, call);
  const model = await parts.store.models.find(call.param(0));
  if (!model || model.ownerId !== owner.id) throw new HttpProblem(403, "no such vendor/model");
  call.notes.product = model.name;
  return model;
}

/** A name of a model, vendor, group or token. @throws HttpProblem 400 */
export function checkedName(name: string, what: string): string {
  if (isModelName(name)) return name;
  throw new HttpProblem(400, `${what}: ${modelNameRule}`);
}

/** A serial number or content id: any text that fits a line and a path. @throws HttpProblem 400 */
export function checkedId(id: string, what: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (id !== "" && id.length <= 256 && !/[/\x00-\x1f\x7f]/.test(id)) return id;
  throw new HttpProblem(400, `${what}: 1 to 256 characters, no '/' and no control characters`);
}

/** The caller's address, for the activation log. */
export function connectionOf(call: Call): string {
  return call.request.socket.remoteAddress ?? "";
}
