/** What is told of a metric besides its numbers. Made by `registry.ts`, sent to other processes, written by `text.ts`. */

export type MetricKind = 'counter' | 'gauge' | 'histogram'

/** How the gauges of several processes become one: their sum, the greatest, the least, or one for each worker. */
export type Merge = 'sum' | 'max' | 'min' | 'worker'

export interface Family {
  readonly name: string
  readonly kind: MetricKind
  readonly help: string
  /** Names of its labels, in the order in which values are given. */
  readonly labels: readonly string[]
  /** Upper bounds of a histogram's buckets, ascending, without the last, infinite one; else none. */
  readonly bounds: readonly number[]
  readonly merge: Merge
}

/** One set of values of the labels, with its numbers. */
export interface Sample {
  readonly labels: readonly string[]
  /** One number, NaN of a gauge that has none now; of a histogram those of each bucket alone, the infinite one too, and then the sum of what was seen. */
  readonly values: Float64Array
}

/** All that one scrape shows of a metric. */
export interface MetricSamples {
  readonly family: Family
  readonly samples: readonly Sample[]
}

/** Numbers that one set of labels takes. */
export function widthOf({ kind, bounds }: Pick<Family, 'kind' | 'bounds'>): number {
  return kind === 'histogram' ? bounds.length + 2 : 1
}

/** One text for a set of label values. */
export function keyOf(labels: readonly string[]): string {
  return labels.length === 1 ? (labels[0] as string) : JSON.stringify(labels)
}
