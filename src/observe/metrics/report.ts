/**
 * How the metrics of one process reach another: each report says what is new since the last one. A `Reporter` makes
 * them where the numbers are, a `Mirror` puts them together again where they are summed up.
 */
import { type Family, type MetricSamples, type Sample, widthOf } from './family.ts'
import type { Registry, SeriesPlace } from './registry.ts'

/** What has changed; all of it can go through JSON. */
export interface Report {
  readonly families: readonly Family[]
  readonly series: readonly SeriesPlace[]
  /** Index of a number, the number, index, number, …; null for a gauge that has none, since JSON has no NaN. */
  readonly changed: readonly (number | null)[]
}

/** Reports on a registry, to one reader. */
export class Reporter {
  readonly #registry: Registry
  #families: number
  #series: number
  #sent: Float64Array

  constructor(registry: Registry) {
    this.#registry = registry
    this.#families = 0
    this.#series = 0
    this.#sent = new Float64Array(0)
  }

  /** What is new since the last report. */
  report(): Report {
    const registry = this.#registry
    registry.collect()
    const families = registry.families.slice(this.#families)
    const series = registry.series.slice(this.#series)
    this.#families += families.length
    this.#series += series.length
    return { families, series, changed: this.#changed() }
  }

  #changed(): (number | null)[] {
    const { numbers, length } = this.#registry
    if (this.#sent.length < length) {
      const larger = new Float64Array(numbers.length)
      larger.set(this.#sent)
      this.#sent = larger
    }
    const sent = this.#sent
    const changed: (number | null)[] = []
    for (let i = 0; i < length; i++) {
      const number = numbers[i] as number
      if (Object.is(number, sent[i])) continue
      sent[i] = number
      changed.push(i, Number.isNaN(number) ? null : number)
    }
    return changed
  }
}

/** A copy of a registry that is kept up to date by reports, none of which may be left out. */
export class Mirror {
  readonly #families: Family[]
  readonly #series: SeriesPlace[]
  readonly #numbers: number[]

  constructor() {
    this.#families = []
    this.#series = []
    this.#numbers = []
  }

  take({ families, series, changed }: Report): void {
    this.#families.push(...families)
    for (const one of series) {
      this.#series.push(one)
      const end = one.offset + widthOf(this.#families[one.family] as Family)
      while (this.#numbers.length < end) this.#numbers.push(0)
    }
    for (let i = 0; i < changed.length; i += 2) {
      this.#numbers[changed[i] as number] = changed[i + 1] ?? Number.NaN
    }
  }

  samples(): MetricSamples[] {
    const all = this.#families.map((family) => ({ family, samples: [] as Sample[] }))
    for (const { family: index, labels, offset } of this.#series) {
      const { family, samples } = all[index] as (typeof all)[number]
      const values = Float64Array.from(this.#numbers.slice(offset, offset + widthOf(family)))
      samples.push({ labels, values })
    }
    return all
  }
}
