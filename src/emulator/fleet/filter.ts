import { textPattern } from "../../core/text-pattern.ts";
import type { Gateway } from "./gateway.ts";
import { isFailing, isOnline } from "./gateway.ts";
import { compareVersions } from "./version-order.ts";

/** Whether a gateway belongs to what a filter chooses. `now`: unix seconds. */
export type GatewayFilter = (gateway: Gateway, now: number) => boolean;

export type ParsedFilter =
  | { readonly ok: true; readonly matches: GatewayFilter }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads a filter (docs/console.md, "Finding gateways"). Runs on the server and in the browser, so that both choose the
 * same gateways.
 */
export function parseFilter(text: string): ParsedFilter {
  const terms: GatewayFilter[] = [];
  for (const word of splitTerms(text)) {
    const term = parseTerm(word);
    if (typeof term === "string") return { ok: false, problem: term };
    terms.push(term);
  }
  return { ok: true, matches: (gateway, now) => terms.every((term) => term(gateway, now)) };
}

/** Words at spaces; double quotes hold a word together and are dropped. */
function splitTerms(text: string): string[] {
  return (text.match(/(?:"[^"]*"?|[^\s"])+/g) ?? [])
    .map((word) => word.replaceAll('"', ""))
    .filter((word) => word !== "");
}

const termPattern = /^([a-z]+(?:\.[^:<>=]+)?)(:|<=|>=|<|>|=)(.*)$/i;

function parseTerm(word: string): GatewayFilter | string {
  if (word.startsWith("-") && word.length > 1) {
    const term = parseTerm(word.slice(1));
    return typeof term === "string" ? term : (gateway, now) => !term(gateway, now);
  }
  const found = termPattern.exec(word);
  if (!found) return anywhere(word);
  const [, key = "", operator = ":", value = ""] = found;
  const term = keyed(key.toLowerCase().startsWith("app.") ? key : key.toLowerCase(), operator, value);
  if (term !== undefined) return term;
  // A MAC address has colons too.
  return key.length === 2 ? anywhere(word) : `there is no '${key}' to filter by`;
}

function anywhere(word: string): GatewayFilter {
  const wanted = word.toLowerCase();
  return (gateway) => searchText(gateway).includes(wanted);
}

/** Each is made once, since every letter that somebody types looks at all; rows are replaced, never changed. */
const searchTexts = new WeakMap<Gateway, string>();

function searchText(gateway: Gateway): string {
  let text = searchTexts.get(gateway);
  if (text === undefined) {
    const { sn, product, host = "", ip = "", tags, groups, apps } = gateway;
    text = [sn, product, host, ip, ...tags, ...groups, ...apps.map(({ name }) => name)]
      .join("\n")
      .toLowerCase();
    searchTexts.set(gateway, text);
  }
  return text;
}

type TextsOf = (gateway: Gateway) => readonly (string | undefined)[];

const texts: Readonly<Record<string, TextsOf>> = {
  sn: ({ sn }) => [sn],
  product: ({ product }) => [product],
  group: ({ groups }) => groups,
  tag: ({ tags }) => tags,
  status: ({ status }) => [status],
  app: ({ apps }) => apps.map(({ name }) => name),
  state: ({ apps }) => apps.map(({ status }) => status),
  result: ({ result }) => [result?.status],
  host: ({ host }) => [host],
  ip: ({ ip }) => [ip],
  os: ({ os }) => [os],
  arch: ({ arch }) => [arch],
  model: ({ model }) => [model],
};

const versions: Readonly<Record<string, TextsOf>> = {
  engine: ({ engine }) => [engine],
  kernel: ({ kernel }) => [kernel],
};

const numbers: Readonly<Record<string, (gateway: Gateway) => number | undefined>> = {
  disk: ({ disk }) => disk,
  memory: ({ memory }) => memory,
  queue: ({ queue }) => queue,
  traffic: ({ traffic }) => traffic,
  interval: ({ interval }) => interval,
};

const conditions: Readonly<Record<string, GatewayFilter>> = {
  online: isOnline,
  offline: (gateway, now) => !isOnline(gateway, now),
  pending: ({ pending }) => pending !== undefined,
  failing: ({ apps }) => apps.some(isFailing),
};

/** The test of a term with a key; undefined where there is no such key; a text says what is wrong with the term. */
function keyed(key: string, operator: string, value: string): GatewayFilter | string | undefined {
  const isEqual = operator === ":" || operator === "=";
  if (key === "is") return isTerm(value);
  const textsOf = own(texts, key);
  if (textsOf) {
    if (!isEqual) return `'${key}' takes ':', not '${operator}'`;
    return value === "" ? `'${key}:' lacks a value` : someText(textsOf, textPattern(value));
  }
  const versionsOf = own(versions, key) ?? appVersions(key);
  if (versionsOf) {
    if (value === "") return `'${key}${operator}' lacks a version`;
    if (isEqual) return someText(versionsOf, textPattern(value));
    return someText(
      versionsOf,
      remembered((version) => holds(operator, compareVersions(version, value))),
    );
  }
  const numberOf = own(numbers, key);
  if (numberOf) return numeric(key, operator, value, numberOf);
  return undefined;
}

function isTerm(value: string): GatewayFilter | string {
  return (
    own(conditions, value.toLowerCase()) ??
    `'is:' takes ${Object.keys(conditions).join(", ")}, not '${value}'`
  );
}

function appVersions(key: string): TextsOf | undefined {
  if (!key.toLowerCase().startsWith("app.")) return undefined;
  const app = key.slice("app.".length);
  return ({ apps }) => apps.filter(({ name }) => name === app).map(({ version }) => version);
}

function someText(textsOf: TextsOf, matches: (text: string) => boolean): GatewayFilter {
  return (gateway) => textsOf(gateway).some((text) => text !== undefined && matches(text));
}

/** A fleet has many gateways and few versions. */
function remembered(test: (text: string) => boolean): (text: string) => boolean {
  const known = new Map<string, boolean>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const result = test(text);
    known.set(text, result);
    return result;
  };
}

function numeric(
  key: string,
  operator: string,
  value: string,
  numberOf: (gateway: Gateway) => number | undefined,
): GatewayFilter | string {
  const wanted = Number(value);
  if (value === "" || Number.isNaN(wanted)) return `'${key}${operator}' takes a number, not '${value}'`;
  return (gateway) => {
    const number = numberOf(gateway);
    return number !== undefined && holds(operator, number - wanted);
  };
}

function holds(operator: string, difference: number): boolean {
  switch (operator) {
    case "<":
      return difference < 0;
    case "<=":
      return difference <= 0;
    case ">":
      return difference > 0;
    case ">=":
      return difference >= 0;
    default:
      return difference === 0;
  }
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
