/**
 * Differences with an interval that asks nothing of how the noise is spread: Hodges and Lehmann's estimate with the exact
 * interval of the rank tests (Wilcoxon's signed ranks for pairs, Mann and Whitney's for two groups); Hollander, Wolfe,
 * Chicken, Nonparametric Statistical Methods, sections 3.3 and 4.3. Ties make the interval wider, never narrower.
 */
import { median } from './statistics.ts'

export interface Estimate {
  readonly middle: number
  /** The interval; undefined bounds: too few values for this confidence. */
  readonly low: number | undefined
  readonly high: number | undefined
}

/** The middle of differences of pairs. */
export function ofPairs(differences: readonly number[], confidence: number): Estimate {
  const walsh = differences.flatMap((one, i) =>
    differences.slice(i).map((other) => (one + other) / 2),
  )
  return estimate(walsh, signedRankCounts(differences.length), confidence)
}

/** How much higher the second group lies than the first. */
export function ofGroups(
  first: readonly number[],
  second: readonly number[],
  confidence: number,
): Estimate {
  const differences = second.flatMap((b) => first.map((a) => b - a))
  return estimate(differences, rankSumCounts(first.length, second.length), confidence)
}

/** `counts[w]`: in how many of all equally likely arrangements the statistic is `w`. */
function estimate(all: number[], counts: readonly number[], confidence: number): Estimate {
  const sorted = all.sort((a, b) => a - b)
  const total = counts.reduce((sum, count) => sum + count, 0)
  let tail = 0
  let cut = 0
  while (cut < sorted.length && (2 * (tail + (counts[cut] ?? 0))) / total <= 1 - confidence) {
    tail += counts[cut] ?? 0
    cut++
  }
  const middle = median(sorted)
  if (cut === 0) return { middle, low: undefined, high: undefined }
  return { middle, low: sorted[cut - 1], high: sorted[sorted.length - cut] }
}

/** Subsets of 1…n by their sum. */
function signedRankCounts(n: number): number[] {
  const counts = new Array<number>((n * (n + 1)) / 2 + 1).fill(0)
  counts[0] = 1
  for (let rank = 1; rank <= n; rank++) {
    for (let sum = counts.length - 1; sum >= rank; sum--) {
      counts[sum] = (counts[sum] ?? 0) + (counts[sum - rank] ?? 0)
    }
  }
  return counts
}

/** Arrangements of m and n values by how many pairs are in reverse: the Gaussian binomial coefficient's terms. */
function rankSumCounts(m: number, n: number): number[] {
  const size = m * n + 1
  let rows = Array.from({ length: n + 1 }, () => [1])
  for (let i = 1; i <= m; i++) {
    const next: number[][] = [[1]]
    for (let j = 1; j <= n; j++) {
      const [above = [], left = []] = [rows[j], next[j - 1]]
      const sums = Array.from({ length: i * j + 1 }, (_, u) => (above[u - j] ?? 0) + (left[u] ?? 0))
      next.push(sums.slice(0, size))
    }
    rows = next
  }
  return rows[n] ?? [1]
}
