import { useEffect, useState } from "preact/hooks";

/** Where the console is: the path after `#/`, in parts, and its query. */
export interface Place {
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  return {
    parts: path
      .split("/")
      .filter((part) => part !== "")
      .map(decodeURIComponent),
    query: new URLSearchParams(query),
  };
}

export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const follow = () => setPlace(placeOf(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return place;
}

/** The address of a place, for links. */
export function hrefOf(parts: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`;
}

export function goTo(parts: readonly string[], query: Readonly<Record<string, string>> = {}): void {
  location.hash = hrefOf(parts, query);
}

/** The same place with another query, without a step back to the old one. */
export function replaceQuery(parts: readonly string[], query: Readonly<Record<string, string>>): void {
  history.replaceState(null, "", hrefOf(parts, query));
}
