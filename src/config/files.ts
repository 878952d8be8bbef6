import { isUtf8 } from "node:buffer";
import { accessSync, constants, readFileSync } from "node:fs";
import { IniDocument } from "../core/ini.ts";
import type { Paths } from "../core/paths.ts";
import type { AtomicWriteOptions } from "../platform/files.ts";
import type { InstanceLock, LockOptions } from "../platform/instance-lock.ts";
import { ConfigAccessError, ConfigError } from "./errors.ts";

/** Who may read the gateway's CIK beside root (spec: gateway-engine.md, "Configuration files"). */
export const gatewayGroup = "gateway-engine";

/** What writing needs of the operating system; `src/platform/` has it. */
export interface ConfigIo {
  ensureDirectory(directory: string): void;
  writeFileAtomic(file: string, content: Uint8Array, options: AtomicWriteOptions): void;
  acquireInstanceLock(file: string, options: LockOptions): InstanceLock;
  groupId(name: string): number | undefined;
}

export interface ConfigFile {
  readonly document: IniDocument;
  /** Files of the original may hold Latin-1; they are written back as they were read. */
  readonly encoding: "utf8" | "latin1";
}

/**
 * A missing file is an empty one.
 * @throws ConfigAccessError when this user may not read it
 */
export function readConfigFile(file: string): ConfigFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return { document: IniDocument.parse(""), encoding: "utf8" };
    throw accessError("read", file, error);
  }
  const encoding = isUtf8(bytes) ? "utf8" : "latin1";
  return { document: IniDocument.parse(bytes.toString(encoding)), encoding };
}

export interface ConfigFilesDependencies {
  readonly paths: Pick<Paths, "etcDir" | "gatewayCfg" | "engineConfig" | "configLock">;
  readonly io: ConfigIo;
}

const lockWaitMs = 10_000;

/** Changes one configuration file durably, on the content that it has at that moment, safe against other writers. */
export function changeConfigFile(
  { paths, io }: ConfigFilesDependencies,
  file: string,
  change: (document: IniDocument) => IniDocument,
): void {
  try {
    io.ensureDirectory(paths.etcDir);
    accessSync(paths.etcDir, constants.W_OK);
    const lock = io.acquireInstanceLock(paths.configLock, { waitMs: lockWaitMs });
    try {
      const before = readConfigFile(file);
      const after = change(before.document);
      if (after === before.document) return;
      io.writeFileAtomic(file, encode(after.toString(), before.encoding), writeOptions(paths, io, file));
    } finally {
      lock.release();
    }
  } catch (error) {
    throw isSystemError(error) ? accessError("write", file, error) : error;
  }
}

function writeOptions(
  paths: ConfigFilesDependencies["paths"],
  io: ConfigIo,
  file: string,
): AtomicWriteOptions {
  return file === paths.gatewayCfg
    ? { mode: 0o640, enforceMode: true, gid: io.groupId(gatewayGroup) }
    : { mode: 0o644 };
}

function encode(text: string, encoding: ConfigFile["encoding"]): Buffer {
  const bytes = Buffer.from(text, encoding);
  // Latin-1 cannot hold everything; then the whole file becomes UTF-8 rather than lose a character.
  return bytes.toString(encoding) === text ? bytes : Buffer.from(text, "utf8");
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).errno === "number";
}

function accessError(what: "read" | "write", file: string, cause: unknown): Error {
  const { code } = cause as NodeJS.ErrnoException;
  const denied = code === "EACCES" || code === "EPERM";
  if (!denied)
    return new ConfigError([{ file, expected: `cannot ${what} it (${code ?? String(cause)})` }], cause);
  const who = what === "read" ? `root or a member of the group ${gatewayGroup}` : "root";
  return new ConfigAccessError(`permission denied: to ${what} ${file}, be ${who}`, {
    cause,
    context: { file },
  });
}
