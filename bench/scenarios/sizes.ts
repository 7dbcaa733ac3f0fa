/** One file, asked for again and again over connections that are kept alive: 1 KiB to 10 MiB. */
import { numbered } from './content.ts'
import type { Scenario } from './scenario.ts'

const KIB = 1024
const MIB = 1024 * KIB

function ofSize(label: string, title: string, bytes: number, more: Partial<Scenario> = {}) {
  return {
    name: `static-${label}`,
    title: `static file of ${title}, keep-alive`,
    files: () => [['file.txt', numbered(bytes, 0)]] as const,
    paths: ['/file.txt'],
    connections: 64,
    ...more,
  } satisfies Scenario
}

export const sizes: readonly Scenario[] = [
  ofSize('1k', '1 KiB', KIB),
  ofSize('10k', '10 KiB', 10 * KIB),
  ofSize('100k', '100 KiB', 100 * KIB, { throughput: true }),
  ofSize('1m', '1 MiB', MIB, { throughput: true, connections: 32 }),
  ofSize('10m', '10 MiB', 10 * MIB, { throughput: true, connections: 16 }),
]
