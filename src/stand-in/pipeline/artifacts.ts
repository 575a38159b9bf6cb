// `artifacts`: one archive, and one file per report in the format that GitLab stores it in.

import { isDuration } from "./duration.ts";
import type { Mistakes } from "./mistakes.ts";
import type { Entry, Node } from "./node.ts";
import {
  readBoolean,
  readChoice,
  readMap,
  readString,
  readStringOrStrings,
  readStrings,
} from "./read.ts";
import { COVERAGE_FORMATS, COVERAGE_REPORTS, REMOVED_REPORTS, REPORTS } from "./reports.ts";
import type { ReportKind } from "./reports.ts";
import type { WireArtifact } from "./types.ts";

const KEYS = [
  "name",
  "paths",
  "exclude",
  "untracked",
  "when",
  "expire_in",
  "reports",
  "expose_as",
  "public",
  "access",
];
export const WHENS = ["on_success", "on_failure", "always"] as const;
const ACCESS = ["all", "developer", "maintainer", "none"] as const;

export function readArtifacts(node: Node, mistakes: Mistakes): readonly WireArtifact[] {
  const fields = readMap(node, "artifacts", { supported: KEYS }, mistakes);
  if (!fields) return [];
  const read = <T>(
    key: string,
    reader: (node: Node, keyword: string, mistakes: Mistakes) => T,
  ): T | undefined => {
    const entry = fields.get(key);
    return entry && reader(entry.value, `artifacts:${key}`, mistakes);
  };
  const expireIn = read("expire_in", readExpiry) ?? null;
  const untracked = read("untracked", readBoolean) ?? false;
  const paths = read("paths", readStrings);
  const archive: WireArtifact = {
    name: read("name", readString) ?? null,
    untracked,
    paths: paths ?? [],
    exclude: read("exclude", readStrings) ?? [],
    when:
      read("when", (value, keyword) => readChoice(value, keyword, WHENS, mistakes)) ?? "on_success",
    expire_in: expireIn,
    artifact_type: "archive",
    artifact_format: "zip",
  };
  checkAccess(fields, mistakes);
  const exposeAs = fields.get("expose_as");
  if (exposeAs) checkExposeAs(exposeAs, paths ?? [], mistakes);
  const reports = fields.get("reports");
  return [
    ...(untracked || paths ? [archive] : []),
    ...(reports ? readReports(reports.value, expireIn, mistakes) : []),
  ];
}

function readExpiry(node: Node, keyword: string, mistakes: Mistakes): string | undefined {
  const text = readString(node, keyword, mistakes);
  if (text === undefined || text === "never" || isDuration(text)) return text;
  const message = `${keyword} must be a time like "3 days" or "1 week 2 hours", or "never", not "${text}".`;
  mistakes.report(node.at, keyword, message);
  return undefined;
}

function checkAccess(fields: ReadonlyMap<string, Entry>, mistakes: Mistakes): void {
  const isPublic = fields.get("public");
  const access = fields.get("access");
  if (isPublic) readBoolean(isPublic.value, "artifacts:public", mistakes);
  if (access) readChoice(access.value, "artifacts:access", ACCESS, mistakes);
  if (!isPublic || !access) return;
  const message = "artifacts:public and artifacts:access say the same thing; keep one of them.";
  mistakes.report(access.at, "artifacts:access", message);
}

function checkExposeAs(entry: Entry, paths: readonly string[], mistakes: Mistakes): void {
  const keyword = "artifacts:expose_as";
  const name = readString(entry.value, keyword, mistakes);
  const fits = name === undefined || (/^\w[-\w ]*$/.test(name) && name.length <= 100);
  if (!fits) {
    const message = `${keyword} may have up to 100 letters, digits, "-", "_" and spaces.`;
    mistakes.report(entry.value.at, keyword, message);
  }
  if (paths.length > 0 && !paths.some((path) => path.includes("*"))) return;
  const message = `${keyword} needs artifacts:paths, and no "*" in them.`;
  mistakes.report(entry.at, keyword, message);
}

function readReports(node: Node, expireIn: string | null, mistakes: Mistakes): WireArtifact[] {
  const known = {
    supported: [...Object.keys(REPORTS), "coverage_report"],
    refused: REMOVED_REPORTS,
  };
  const fields = readMap(node, "artifacts:reports", known, mistakes);
  return [...(fields?.values() ?? [])].flatMap(({ key, value }) => {
    const keyword = `artifacts:reports:${key}`;
    if (key === "coverage_report") return coverageReport(value, keyword, expireIn, mistakes) ?? [];
    const kind = REPORTS[key];
    return kind ? report(key, kind, readStringOrStrings(value, keyword, mistakes), expireIn) : [];
  });
}

function coverageReport(
  node: Node,
  keyword: string,
  expireIn: string | null,
  mistakes: Mistakes,
): WireArtifact[] | undefined {
  const fields = readMap(node, keyword, { supported: ["coverage_format", "path"] }, mistakes);
  const format = fields?.get("coverage_format");
  const path = fields?.get("path");
  if (!fields) return undefined;
  if (!format || !path) {
    mistakes.report(node.at, keyword, `${keyword} needs both coverage_format and path.`);
    return undefined;
  }
  const type = readChoice(format.value, `${keyword}:coverage_format`, COVERAGE_FORMATS, mistakes);
  const text = readString(path.value, `${keyword}:path`, mistakes);
  return type && text ? [report(type, COVERAGE_REPORTS[type], [text], expireIn)] : undefined;
}

function report(
  type: string,
  kind: ReportKind,
  paths: readonly string[],
  expireIn: string | null,
): WireArtifact {
  return {
    name: kind.name,
    untracked: false,
    paths,
    exclude: [],
    when: "always",
    expire_in: expireIn,
    artifact_type: type,
    artifact_format: kind.format,
  };
}
