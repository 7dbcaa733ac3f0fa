/** Middles and spreads of samples. */

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[middle - 1] ?? Number.NaN, sorted[middle] ?? Number.NaN]
  return sorted.length % 2 === 1 ? high : (low + high) / 2
}

export interface Spread {
  readonly middle: number
  readonly low: number
  readonly high: number
}

/** The median with the smallest and the largest. */
export function spread(values: readonly number[]): Spread {
  return { middle: median(values), low: Math.min(...values), high: Math.max(...values) }
}

/** The ratios of two series, round by round; rounds that only one of them has are left out. */
export function ratios(of: readonly number[], to: readonly number[]): number[] {
  return of.slice(0, to.length).map((value, round) => value / (to[round] as number))
}

export interface Slope extends Spread {
  /** Points that it is made of. */
  readonly points: number
}

/** 95 % of a normal distribution lie so many deviations around its middle. */
const NORMAL_95 = 1.96
/** All pairs are looked at; more points than that are thinned evenly. */
const MOST_POINTS = 600

/**
 * Theil–Sen: the median of the slopes of all pairs of points, with its interval of 95 % (Sen 1968, by Kendall's variance).
 * NaN of fewer than three points.
 */
export function slope(all: readonly (readonly [x: number, y: number])[]): Slope {
  const step = Math.max(1, Math.ceil(all.length / MOST_POINTS))
  const points = all.filter((_, i) => i % step === 0)
  const n = points.length
  if (n < 3) return { middle: Number.NaN, low: Number.NaN, high: Number.NaN, points: n }
  const slopes = points
    .flatMap(([x, y], i) => points.slice(i + 1).map(([u, v]) => (v - y) / (u - x)))
    .filter(Number.isFinite)
    .sort((a, b) => a - b)
  const half = (NORMAL_95 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)) / 2
  const last = slopes.length - 1
  const place = (at: number): number =>
    slopes[Math.min(last, Math.max(0, Math.round(at)))] as number
  const middle = (last + 1) / 2
  return {
    middle: median(slopes),
    low: place(middle - half),
    high: place(middle + half),
    points: n,
  }
}
