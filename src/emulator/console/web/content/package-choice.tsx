import { useMemo } from "preact/hooks";
import type { Gateway } from "../../../fleet/gateway.ts";
import { useFleet, useLoaded } from "../context.ts";
import type { Content } from "../types.ts";

export interface Products {
  readonly products: readonly string[];
  /** The one that most gateways are of: whoever does not choose means this one. */
  readonly usual: string | undefined;
  /** Whether the server has told which there are. */
  readonly isLoaded: boolean;
  readonly problem: string | undefined;
}

export function useProducts(): Products {
  const { gateways, isReady } = useFleet();
  const { data, problem } = useLoaded<{ products: readonly string[] }>("products");
  const common = useMemo(() => commonProduct(gateways), [gateways]);
  const products = data?.products ?? [];
  const usual = isReady ? (common ?? products[0]) : undefined;
  return { products, usual, isLoaded: data !== undefined, problem };
}

/** The product that most of them are of. */
export function commonProduct(gateways: readonly Pick<Gateway, "product">[]): string | undefined {
  const byProduct = Map.groupBy(gateways, ({ product }) => product);
  return [...byProduct].sort(([, a], [, b]) => b.length - a.length)[0]?.[0];
}

export interface Packages {
  readonly packages: readonly Content[];
  /** Whether the server has told what there is. */
  readonly isLoaded: boolean;
}

/** What of a product's content can be installed. */
export function usePackages(product: string | undefined): Packages {
  const { data } = useLoaded<{ content: readonly Content[] }>(
    product === undefined ? undefined : `content/${encodeURIComponent(product)}`,
  );
  const packages = (data?.content ?? []).filter(({ app, uploaded }) => app !== undefined && uploaded);
  return { packages, isLoaded: data !== undefined };
}

/** The command that installs a package, held to its digest where that is known. */
export function installCommand(id: string | undefined, content: Content | undefined) {
  return { install: [{ name: id, ...(content?.sha256 !== undefined && { sha256: content.sha256 }) }] };
}

interface PackageFieldsProps {
  /** Before the names of the fields, which are unique on a page. */
  readonly idPrefix?: string;
  readonly product: string | undefined;
  readonly products: readonly string[];
  readonly onProduct: (product: string) => void;
  readonly id: string | undefined;
  readonly packages: readonly Content[];
  readonly onPackage: (id: string) => void;
  readonly isRequired?: boolean;
}

/** Chooses a product, and a package of it. */
export function PackageFields(props: PackageFieldsProps) {
  const { idPrefix = "", product, products, onProduct, id, packages, onPackage, isRequired = false } = props;
  return (
    <>
      <div>
        <label for={`${idPrefix}product`}>Product</label>
        <select
          id={`${idPrefix}product`}
          value={product}
          onChange={({ currentTarget }) => onProduct(currentTarget.value)}
        >
          {products.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </div>
      <div class="grow">
        <label for={`${idPrefix}package`}>Package</label>
        <select
          id={`${idPrefix}package`}
          value={id}
          onChange={({ currentTarget }) => onPackage(currentTarget.value)}
          required={isRequired}
        >
          {packages.map((one) => (
            <option key={one.id} value={one.id}>
              {one.app} {one.version}
            </option>
          ))}
        </select>
      </div>
    </>
  );
}
