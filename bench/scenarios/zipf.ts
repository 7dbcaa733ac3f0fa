/** 20,000 files of 10 KiB; the file of rank r is asked for in proportion to 1/r. */
import { numbered, numbers } from './content.ts'
import type { Scenario } from './scenario.ts'

const FILES = 20_000
const BYTES = 10 * 1024
/** Requests before the sequence starts again: long enough that the rare files come too. */
const REQUESTS = 100_000
/** Shares no factor with FILES: spreads the ranks over all folders. */
const STRIDE = 7919

function pathOf(index: number): string {
  return `d${String(index % 100).padStart(2, '0')}/${String(index).padStart(5, '0')}.txt`
}

function* files(): Generator<readonly [string, Buffer]> {
  for (let i = 0; i < FILES; i++) yield [pathOf(i), numbered(BYTES, i)]
}

function sequence(): string[] {
  const sums = new Float64Array(FILES)
  let total = 0
  for (let rank = 0; rank < FILES; rank++) {
    total += 1 / (rank + 1)
    sums[rank] = total
  }
  const next = numbers(1)
  return Array.from({ length: REQUESTS }, () => {
    const rank = firstAbove(sums, next() * total)
    return `/${pathOf((rank * STRIDE) % FILES)}`
  })
}

/** Index of the first number above `value`; `sorted` ascends. */
function firstAbove(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) > value) high = middle
    else low = middle + 1
  }
  return low
}

export const zipf: Scenario = {
  name: 'zipf',
  title: '20,000 files of 10 KiB with a Zipf spread, keep-alive',
  files,
  paths: sequence(),
  connections: 64,
}
