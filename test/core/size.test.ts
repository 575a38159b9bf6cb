import { expect, test } from "vitest";
import {
  fargateSize,
  fargateSizes,
  parseCpuUnits,
  parseMemoryMiB,
  sizeText,
} from "../../src/core/size.ts";

test.each<[string, string | number, number | undefined]>([
  ["a whole number is vCPU", 2, 2048],
  ["a fraction is vCPU", "0.25", 256],
  ["a fraction may lack its zero", ".5", 512],
  ["the unit may be written", "2 vCPU", 2048],
  ["the unit may be written small and without a space", "1cpu", 1024],
  ["a number from 256 is ECS units", "1024", 1024],
  ["odd fractions are rounded to units", "0.333", 341],
  ["nothing is no cpu", "", undefined],
  ["zero is no cpu", "0", undefined],
  ["a negative number is no cpu", "-1", undefined],
  ["a word is no cpu", "big", undefined],
  ["memory is no cpu", "2g", undefined],
])("cpu: %s", (_, written, units) => {
  expect(parseCpuUnits(written)).toBe(units);
});

test.each<[string, string | number, number | undefined]>([
  ["g is GiB", "4g", 4096],
  ["G, GB and GiB are the same", "4GiB", 4096],
  ["m is MiB", "512m", 512],
  ["k is KiB, rounded up to a MiB", "1500k", 2],
  ["b is bytes", "536870912b", 512],
  ["fractions are possible", "0.5g", 512],
  ["a space before the unit is possible", "2 GB", 2048],
  ["a small bare number is GB", 4, 4096],
  ["the most GB there are is GB", "244", 249_856],
  ["a bare number beyond that is MB, as ECS writes it", "4096", 4096],
  ["a bare number in the millions is bytes, as config.toml writes it", "536870912", 512],
  ["nothing is no memory", "", undefined],
  ["zero is no memory", 0, undefined],
  ["a word is no memory", "lots", undefined],
  ["a negative number is no memory", "-2g", undefined],
])("memory: %s", (_, written, memory) => {
  expect(parseMemoryMiB(written)).toBe(memory);
});

test.each<[string, [number, number], [number, number] | undefined]>([
  ["a legal pair stays as it is", [1024, 2048], [1024, 2048]],
  ["the smallest wish gets the smallest task", [1, 1], [256, 512]],
  ["memory is rounded up to the next step", [1024, 2049], [1024, 3072]],
  ["512 MB exists with a quarter vCPU only", [512, 512], [512, 1024]],
  ["0.25 vCPU has no 1.5 GB", [256, 1536], [256, 2048]],
  ["cpu is rounded up to the next that exists", [1500, 4096], [2048, 4096]],
  ["more memory than a cpu may have takes the next cpu", [1024, 9216], [2048, 9216]],
  ["much cpu brings the least memory it may have", [4096, 2048], [4096, 8192]],
  ["4 vCPU end at 30 GB", [4096, 31 * 1024], [8192, 32 * 1024]],
  ["8 vCPU go in steps of 4 GB", [8192, 17 * 1024], [8192, 20 * 1024]],
  ["16 vCPU go in steps of 8 GB", [16_384, 33 * 1024], [16_384, 40 * 1024]],
  ["32 vCPU have 60, 120 and 244 GB only", [32_768, 61 * 1024], [32_768, 120 * 1024]],
  ["121 GB need 32 vCPU", [256, 121 * 1024], [32_768, 244 * 1024]],
  ["33 vCPU do not exist", [33 * 1024, 1024], undefined],
  ["245 GB do not exist", [1024, 245 * 1024], undefined],
])("Fargate: %s", (_, wish, expected) => {
  const size = fargateSize({ cpuUnits: wish[0], memoryMiB: wish[1] });
  expect(size && [size.cpuUnits, size.memoryMiB]).toEqual(expected);
});

test("Fargate has the pairs that AWS lists", () => {
  const table = fargateSizes.map(({ cpuUnits, memoriesMiB }) => [
    cpuUnits,
    memoriesMiB.length,
    memoriesMiB[0],
    memoriesMiB.at(-1),
  ]);
  expect(table).toEqual([
    [256, 3, 512, 2048],
    [512, 4, 1024, 4096],
    [1024, 7, 2048, 8192],
    [2048, 13, 4096, 16_384],
    [4096, 23, 8192, 30_720],
    [8192, 12, 16_384, 61_440],
    [16_384, 12, 32_768, 122_880],
    [32_768, 3, 61_440, 249_856],
  ]);
});

test("a size is said in vCPU and in MB or GB", () => {
  expect(sizeText({ cpuUnits: 256, memoryMiB: 512 })).toBe("0.25 vCPU and 512 MB");
  expect(sizeText({ cpuUnits: 4096, memoryMiB: 30_720 })).toBe("4 vCPU and 30 GB");
});
