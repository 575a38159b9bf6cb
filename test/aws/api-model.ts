// A service's API as its own model describes it, and what such a model holds against a request's body: members that are
// missing or unknown, types, lengths, ranges, patterns, values.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as z from "zod";
import { motoPython } from "../harness/moto.ts";

const shapeSchema = z.object({
  type: z.string(),
  members: z.record(z.string(), z.object({ shape: z.string() })).optional(),
  member: z.object({ shape: z.string() }).optional(),
  key: z.object({ shape: z.string() }).optional(),
  value: z.object({ shape: z.string() }).optional(),
  required: z.array(z.string()).optional(),
  enum: z.array(z.string()).optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  pattern: z.string().optional(),
});

type Shape = z.output<typeof shapeSchema>;

const modelSchema = z.object({
  operations: z.record(z.string(), z.object({ input: z.object({ shape: z.string() }).optional() })),
  shapes: z.record(z.string(), shapeSchema),
});

export type ApiModel = z.output<typeof modelSchema>;

/** From the botocore that moto works with. */
export async function readModels<Name extends string>(
  services: readonly Name[],
): Promise<Readonly<Record<Name, ApiModel>>> {
  const script = fileURLToPath(new URL("api-models.py", import.meta.url));
  const { stdout } = await promisify(execFile)(await motoPython(), [script, ...services], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const models = z.record(z.string(), modelSchema).parse(JSON.parse(stdout));
  return models as Record<Name, ApiModel>;
}

/** A sentence for each mistake. */
export function mistakesOf(model: ApiModel, operation: string, body: unknown): readonly string[] {
  const known = model.operations[operation];
  if (known === undefined) return [`there is no operation ${operation}`];
  if (known.input === undefined) return [];
  const mistakes: string[] = [];
  check(model, known.input.shape, body, operation, mistakes);
  return mistakes;
}

function check(
  model: ApiModel,
  name: string,
  value: unknown,
  path: string,
  mistakes: string[],
): void {
  const shape = model.shapes[name];
  const complain = (what: string) => mistakes.push(`${path}: ${what}`);
  if (shape === undefined) {
    complain(`the model has no shape ${name}`);
    return;
  }
  switch (shape.type) {
    case "structure":
      if (!isObject(value)) complain(`${typeof value} is no structure`);
      else checkStructure(model, shape, value, path, mistakes);
      return;
    case "list":
      if (!Array.isArray(value)) {
        complain(`${typeof value} is no list`);
        return;
      }
      checkSize(shape, value.length, "entries", complain);
      value.forEach((one, index) =>
        check(model, shape.member?.shape ?? "", one, `${path}[${index}]`, mistakes),
      );
      return;
    case "map":
      if (!isObject(value)) {
        complain(`${typeof value} is no map`);
        return;
      }
      for (const [key, one] of Object.entries(value)) {
        check(model, shape.key?.shape ?? "", key, `${path} key`, mistakes);
        check(model, shape.value?.shape ?? "", one, `${path}.${key}`, mistakes);
      }
      return;
    case "string":
      if (typeof value === "string") checkText(shape, value, complain);
      else complain(`${typeof value} is no string`);
      return;
    case "boolean":
      if (typeof value !== "boolean") complain(`${typeof value} is no boolean`);
      return;
    case "integer":
    case "long":
    case "float":
    case "double":
      if (typeof value !== "number") complain(`${typeof value} is no number`);
      else if (/^(integer|long)$/.test(shape.type) && !Number.isInteger(value)) {
        complain(`${value} is not whole`);
      } else checkSize(shape, value, "", complain);
      return;
    default:
      // Times and bytes: the SDK's own serializer writes them.
      return;
  }
}

function checkStructure(
  model: ApiModel,
  { members = {}, required = [] }: Shape,
  value: Readonly<Record<string, unknown>>,
  path: string,
  mistakes: string[],
): void {
  for (const name of required) {
    if (value[name] === undefined) mistakes.push(`${path}: ${name} is missing`);
  }
  for (const [name, one] of Object.entries(value)) {
    const member = members[name];
    if (member === undefined) mistakes.push(`${path}: ${name} is unknown`);
    else check(model, member.shape, one, `${path}.${name}`, mistakes);
  }
}

function checkText(shape: Shape, text: string, complain: (what: string) => void): void {
  checkSize(shape, text.length, "characters", complain);
  if (shape.enum !== undefined && !shape.enum.includes(text)) {
    complain(`${JSON.stringify(text)} is none of ${shape.enum.join(", ")}`);
  }
  if (shape.pattern !== undefined && !patternOf(shape.pattern).test(text)) {
    complain(`${JSON.stringify(text.slice(0, 60))} does not match ${shape.pattern}`);
  }
}

function checkSize(
  { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }: Shape,
  size: number,
  unit: string,
  complain: (what: string) => void,
): void {
  if (size < min || size > max) complain(`${size} ${unit} is not from ${min} to ${max}`.trim());
}

/** Java's, as the models have them: some escape what ours does not let be escaped where it knows Unicode. */
function patternOf(pattern: string): RegExp {
  const whole = `^(?:${pattern})$`;
  try {
    return new RegExp(whole, "su");
  } catch {
    return new RegExp(whole, "s");
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
