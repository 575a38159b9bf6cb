// One page of a list, with the headers GitLab sends along.

import type { Exchange } from "./http/exchange.ts";
import type { Reply } from "./http/reply.ts";
import { invalid, json } from "./http/reply.ts";
import type { Site } from "./variables.ts";

export function page(site: Site, exchange: Exchange, items: readonly unknown[]): Reply {
  const number = positive(exchange.query.get("page"), 1);
  const size = positive(exchange.query.get("per_page"), 20);
  if (number === undefined) return invalid(400, "page is invalid");
  if (size === undefined) return invalid(400, "per_page is invalid");
  const perPage = Math.min(size, 100);
  const pages = Math.max(1, Math.ceil(items.length / perPage));
  const link = (target: number, relation: string) => {
    const url = new URL(site.url + exchange.path);
    url.search = exchange.query.toString();
    url.searchParams.set("page", String(target));
    url.searchParams.set("per_page", String(perPage));
    return `<${url.href}>; rel="${relation}"`;
  };
  const links = [
    ...(number > 1 ? [link(number - 1, "prev")] : []),
    ...(number < pages ? [link(number + 1, "next")] : []),
    link(1, "first"),
    link(pages, "last"),
  ];
  return json(200, items.slice((number - 1) * perPage, number * perPage), {
    link: links.join(", "),
    "x-page": String(number),
    "x-per-page": String(perPage),
    "x-next-page": number < pages ? String(number + 1) : "",
    "x-prev-page": number > 1 ? String(number - 1) : "",
    "x-total": String(items.length),
    "x-total-pages": String(pages),
  });
}

function positive(text: string | null, otherwise: number): number | undefined {
  if (text === null) return otherwise;
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}
