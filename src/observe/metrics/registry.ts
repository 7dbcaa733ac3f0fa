/**
 * The metrics of one process. All their numbers stand in one array of doubles, so that counting is one addition
 * and nothing is looked up; what they mean is put together when somebody asks. `report.ts` reads them.
 */
import { type Family, keyOf, type MetricKind, widthOf } from './family.ts'

/** Sets of label values that one metric has at most, where it says nothing else: beyond it they count as `other`. */
const MAX_SERIES = 1000
/** Longer values are cut. */
const MAX_LABEL_LENGTH = 200
const FIRST_NUMBERS = 256
/** What stands for all label values that have no place of their own. */
export const OTHER = 'other'

export interface SeriesPlace {
  /** Index of the metric. */
  readonly family: number
  readonly labels: readonly string[]
  /** Index of its first number. */
  readonly offset: number
}

export interface FamilyOptions extends Partial<Pick<Family, 'labels' | 'bounds' | 'merge'>> {
  readonly help: string
  /** Default 1000. */
  readonly maxSeries?: number
}

export class Registry {
  /** All numbers; another array once it has grown. */
  numbers: Float64Array
  readonly families: Family[]
  readonly series: SeriesPlace[]
  readonly #collectors: Set<() => void>
  #used: number

  constructor() {
    this.numbers = new Float64Array(FIRST_NUMBERS)
    this.families = []
    this.series = []
    this.#collectors = new Set()
    this.#used = 0
  }

  /** Numbers in use. */
  get length(): number {
    return this.#used
  }

  counter(name: string, options: FamilyOptions): Metric<CounterSeries> {
    return this.#add('counter', name, options, (offset) => new CounterSeries(this, offset))
  }

  gauge(name: string, options: FamilyOptions): Metric<GaugeSeries> {
    return this.#add('gauge', name, options, (offset) => new GaugeSeries(this, offset))
  }

  histogram(name: string, options: FamilyOptions): Metric<HistogramSeries> {
    const bounds = Float64Array.from(options.bounds ?? [])
    return this.#add(
      'histogram',
      name,
      options,
      (offset) => new HistogramSeries(this, offset, bounds),
    )
  }

  /** Calls `collect` before the numbers are read, until what it returns is called: for what is known elsewhere. */
  onCollect(collect: () => void): () => void {
    this.#collectors.add(collect)
    return () => this.#collectors.delete(collect)
  }

  /** Brings all numbers up to date. */
  collect(): void {
    for (const collect of this.#collectors) collect()
  }

  /** For `Metric`: room for the numbers of a set of labels. */
  place(family: number, labels: readonly string[], width: number): number {
    const offset = this.#used
    this.#used += width
    if (this.#used > this.numbers.length) {
      const larger = new Float64Array(Math.max(this.numbers.length * 2, this.#used))
      larger.set(this.numbers)
      this.numbers = larger
    }
    this.series.push({ family, labels, offset })
    return offset
  }

  #add<S>(
    kind: MetricKind,
    name: string,
    { help, labels = [], bounds = [], merge = 'sum', maxSeries = MAX_SERIES }: FamilyOptions,
    make: (offset: number) => S,
  ): Metric<S> {
    const family: Family = { name, kind, help, labels, bounds, merge }
    const index = this.families.push(family) - 1
    const width = widthOf(family)
    const create = (values: readonly string[]) => make(this.place(index, values, width))
    return new Metric(family, maxSeries, create)
  }
}

/** A metric; its numbers are in its series, one for each set of label values. */
export class Metric<S> {
  readonly family: Family
  readonly #maxSeries: number
  readonly #create: (labels: readonly string[]) => S
  readonly #byKey: Map<string, S>

  constructor(family: Family, maxSeries: number, create: (labels: readonly string[]) => S) {
    this.family = family
    this.#maxSeries = maxSeries
    this.#create = create
    this.#byKey = new Map()
    // What has no labels is shown from the start, as 0.
    if (family.labels.length === 0) this.#byKey.set('[]', create([]))
  }

  /**
   * The series of these values, as many as the metric has labels. Keep it where it is used often. Beyond the number
   * of series that the metric may have, all further ones are the one whose values are `other`.
   */
  at(...labels: readonly string[]): S {
    const key = keyOf(labels)
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const cut = labels.map((label) => label.slice(0, MAX_LABEL_LENGTH))
    if (cut.some((label, i) => label !== labels[i])) return this.at(...cut)
    if (this.#byKey.size < this.#maxSeries) return this.#make(key, labels)
    const others = labels.map(() => OTHER)
    return this.#byKey.get(keyOf(others)) ?? this.#make(keyOf(others), others)
  }

  #make(key: string, labels: readonly string[]): S {
    const made = this.#create([...labels])
    this.#byKey.set(key, made)
    return made
  }
}

/** Goes up. */
export class CounterSeries {
  readonly #registry: Registry
  readonly #at: number

  constructor(registry: Registry, at: number) {
    this.#registry = registry
    this.#at = at
  }

  add(by = 1): void {
    const { numbers } = this.#registry
    numbers[this.#at] = (numbers[this.#at] as number) + by
  }

  /** For collectors: takes over a count that is kept elsewhere. */
  set(total: number): void {
    this.#registry.numbers[this.#at] = total
  }
}

/** Goes up and down. */
export class GaugeSeries {
  readonly #registry: Registry
  readonly #at: number

  constructor(registry: Registry, at: number) {
    this.#registry = registry
    this.#at = at
  }

  set(value: number): void {
    this.#registry.numbers[this.#at] = value
  }

  add(by = 1): void {
    const { numbers } = this.#registry
    numbers[this.#at] = (numbers[this.#at] as number) + by
  }

  /** It has no value until the next `set`: what it was about is not there any more. */
  clear(): void {
    this.set(Number.NaN)
  }
}

/** How often values were how large. */
export class HistogramSeries {
  readonly #registry: Registry
  readonly #at: number
  readonly #bounds: Float64Array

  constructor(registry: Registry, at: number, bounds: Float64Array) {
    this.#registry = registry
    this.#at = at
    this.#bounds = bounds
  }

  observe(value: number): void {
    const bounds = this.#bounds
    const { numbers } = this.#registry
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
    const at = this.#at + bucket
    const sumAt = this.#at + bounds.length + 1
    numbers[at] = (numbers[at] as number) + 1
    numbers[sumAt] = (numbers[sumAt] as number) + value
  }
}
