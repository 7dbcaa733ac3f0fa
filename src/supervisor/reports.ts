/** Metrics of several registries on their way: reports of them, and what those come to. Used by workers, and by who sums up. */
import type { MetricSamples } from '../observe/metrics/family.ts'
import type { Registry } from '../observe/metrics/registry.ts'
import { Mirror, type Report, Reporter } from '../observe/metrics/report.ts'

/** Reports on several registries together. */
export class Reports {
  readonly #reporters: readonly Reporter[]

  constructor(registries: readonly Registry[]) {
    this.#reporters = registries.map((registry) => new Reporter(registry))
  }

  /** What is new since the last ones, one a registry. */
  next(): Report[] {
    return this.#reporters.map((reporter) => reporter.report())
  }
}

/** What such reports come to. */
export class Mirrors {
  readonly #mirrors: Mirror[]

  constructor() {
    this.#mirrors = []
  }

  take(reports: readonly Report[]): void {
    reports.forEach((report, i) => {
      this.#mirrors[i] ??= new Mirror()
      this.#mirrors[i].take(report)
    })
  }

  samples(): MetricSamples[] {
    return this.#mirrors.flatMap((mirror) => mirror.samples())
  }
}

export class LocalMetrics {
  readonly #reports: Reports
  readonly #mirrors: Mirrors

  constructor(registries: readonly Registry[]) {
    this.#reports = new Reports(registries)
    this.#mirrors = new Mirrors()
  }

  samples(): MetricSamples[] {
    this.#mirrors.take(this.#reports.next())
    return this.#mirrors.samples()
  }
}
