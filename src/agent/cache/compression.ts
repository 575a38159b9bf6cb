// CACHE_COMPRESSION_FORMAT and CACHE_COMPRESSION_LEVEL: how a job wants its caches packed, and what of it can be had.

import { compressionLevel } from "../../core/artifacts.ts";
import type { CompressionLevel } from "../../core/artifacts.ts";
import type { JobVariables } from "../../core/variables.ts";

export interface Compression {
  readonly format: "zip" | "tarzstd";
  readonly level: CompressionLevel;
  /** For the log: plain lines, and warnings. */
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
}

const noZstd =
  "there is no zstd here (Node has it from 22.15 on; a program zstd on the PATH does as well): the cache is packed as zip";

export function cacheCompression(variables: JobVariables, hasZstd: boolean): Compression {
  const { level, warning } = compressionLevel(variables, "CACHE_COMPRESSION_LEVEL");
  const wanted = variables.get("CACHE_COMPRESSION_FORMAT").toLowerCase();
  const warnings = warning === undefined ? [] : [warning];
  switch (wanted) {
    case "":
    case "zip":
      return { format: "zip", level, lines: [], warnings };
    case "tarzstd":
    case "zipzstd":
      if (!hasZstd) {
        return { format: "zip", level, lines: [`${wanted} is asked for, but ${noZstd}`], warnings };
      }
      return {
        format: "tarzstd",
        level,
        lines: wanted === "zipzstd" ? ["zipzstd is packed as tarzstd: a tar, packed by zstd"] : [],
        warnings,
      };
    default:
      return {
        format: "zip",
        level,
        lines: [],
        warnings: [
          ...warnings,
          "CACHE_COMPRESSION_FORMAT must be one of zip, tarzstd, zipzstd; using zip",
        ],
      };
  }
}
