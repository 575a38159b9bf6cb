// Settings about a job's task: how big it is, where it runs, what it may cost, and which image a name
// stands for on AWS.

import * as z from "zod";
import { patternError } from "./image-pattern.ts";
import {
  choice,
  expected,
  flag,
  oneOf,
  optionalCpu,
  optionalMemory,
  refuse,
  section,
  text,
  whole,
} from "./settings-field.ts";
import { fargateDiskGiB } from "./size.ts";

export const architectures = ["x86_64", "arm64"] as const;
export type Architecture = (typeof architectures)[number];

export const capacities = ["on-demand", "spot"] as const;
export type Capacity = (typeof capacities)[number];

/** The variables by which a job shapes its own task. */
export const burstVariables = [
  "BURST_CPU",
  "BURST_MEMORY",
  "BURST_DISK",
  "BURST_ARCH",
  "BURST_CAPACITY",
  "BURST_RERUN_ON_LOSS",
] as const;
export type BurstVariable = (typeof burstVariables)[number];

const sizes = section("a map with the keys default and maximum", {
  default: section("a map with cpu and memory", {
    cpu: optionalCpu("vCPU of a job that asks for none; 1 without it."),
    memory: optionalMemory("Memory of a job that asks for none; 2g without it."),
  })
    .prefault({})
    .describe("The size of a job that asks for none."),
  maximum: section("a map with cpu and memory", {
    cpu: optionalCpu(
      "The most vCPU a job may ask for; 4 without it, or the default where that is more.",
    ),
    memory: optionalMemory(
      "The most memory a job may ask for; 30g without it, or the default where that is more.",
    ),
  })
    .prefault({})
    .describe("The largest size that a job may ask for."),
})
  .prefault({})
  .describe("How big the task of a job is. On Fargate a size is rounded up to one that exists.");

const { included, most } = fargateDiskGiB;
const disk = section("a map with the keys default and maximum, in GB", {
  default: whole("Disk in GB of a job that asks for none.", included, { from: included, to: most }),
  maximum: whole("The most disk in GB that a job may ask for.", most, { from: included, to: most }),
})
  .prefault({})
  .describe("Disk of a job: its images, packed and unpacked, its project and its files.");

const jobRoles = z
  .array(
    section("a map with project and role_arn", {
      project: z
        .string(expected("a pattern of projects such as group/**"))
        .superRefine((value, context) => {
          const complaint = patternError(value);
          if (complaint !== undefined)
            refuse(context, value, `${JSON.stringify(value)}: ${complaint}`);
        })
        .describe("Pattern of full paths of projects, such as group/**."),
      protected_refs_only: flag(
        "Whether only jobs of protected branches and tags get the role.",
        true,
      ),
      role_arn: z
        .string(expected("the ARN of a role"))
        .regex(/^arn:[a-z-]+:iam::\d{12}:role\/\S+$/, {
          error: "expected the ARN of a role: arn:aws:iam::123456789012:role/name",
        })
        .describe("ARN of the role."),
    }),
    expected("a list of roles"),
  )
  .default([])
  .describe(
    "Roles that jobs use on AWS, by project: the first whose pattern fits. Jobs have none without it.",
  );

const imageName = /^[^\s]+$/;
const imageRewrites = z
  .record(
    z.string(),
    z.string(expected("the name of an image, or what its name begins with")),
    expected("a map from names of images to names of images"),
  )
  .transform((map, context) => {
    for (const [from, to] of Object.entries(map)) {
      const says = JSON.stringify(from);
      if (!imageName.test(from) || !imageName.test(to)) {
        return refuse(context, map, `${says}: expected names of images, without spaces`);
      }
      if (from.endsWith("/") !== to.endsWith("/")) {
        const rule =
          "either both names end in a slash and stand for all that begins with them, or none does";
        return refuse(context, map, `${says}: ${rule}`);
      }
    }
    return map;
  })
  .prefault({})
  .describe(
    'Other images to use on AWS: a full name ("ubuntu-opencv:latest") or, ending in a slash, a beginning ("registry.example.com/").',
  );

export const taskShape = {
  sizes,
  disk,
  architecture: choice(
    "Processors that jobs run on, unless they ask for others.",
    architectures,
    "x86_64",
  ),
  capacity: choice(
    "Spot is cheaper and may be taken away; before a job's script began it is then started again.",
    capacities,
    "on-demand",
  ),
  rerun_on_loss: flag(
    "Whether a job whose task was lost after its script began is run again.",
    false,
  ),
  allowed_burst_variables: z
    .array(oneOf(burstVariables), expected("a list of names of variables"))
    .default([...burstVariables])
    .describe("Variables by which jobs may shape their task."),
  vcpu_budget: whole(
    "How many vCPU the jobs of this runner may use at once; 0 for any. New AWS accounts have 6.",
    6,
  ),
  daily_vcpu_minutes: whole(
    "After how many vCPU minutes a day the runner takes no more jobs; 0 for never.",
    0,
  ),
  job_roles: jobRoles,
  official_images_from: text(
    "Where Docker Hub's official images are taken from on AWS, which spares its limit for strangers; empty for Docker Hub.",
    "public.ecr.aws/docker/library",
  ),
  image_rewrites: imageRewrites,
} as const;
