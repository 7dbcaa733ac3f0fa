/** What a server of one process tells by its status listener. Made by `uwas serve --workers 0`. */
import type { App } from '../app.ts'
import type { MetricSamples } from '../observe/metrics/family.ts'
import { Registry } from '../observe/metrics/registry.ts'
import { Totals } from '../observe/metrics/totals.ts'
import type { Readiness, StatusFacts, StatusSource } from '../observe/status/listener.ts'
import { tellBuild } from './build-metrics.ts'
import { ownMemoryBytes } from './memory.ts'
import { LocalMetrics } from './reports.ts'

export class OwnFacts implements StatusSource {
  readonly #version: string
  readonly #name: string
  readonly #totals: Totals
  #app: App | null
  #requests: () => number
  readonly #build: Registry
  #metrics: LocalMetrics

  /** `name`: what is served, for people. */
  constructor(version: string, name: string) {
    this.#version = version
    this.#name = name
    this.#totals = new Totals()
    this.#app = null
    this.#requests = () => 0
    const build = new Registry()
    tellBuild(build, version)
    this.#build = build
    this.#metrics = new LocalMetrics([build])
  }

  /** From now on it can serve. */
  serve(app: App, requests: () => number): void {
    this.#app = app
    this.#requests = requests
    this.#metrics = new LocalMetrics([this.#build, ...app.metrics])
  }

  async metrics(): Promise<MetricSamples[]> {
    return this.#totals.sum([{ metrics: this.#metrics.samples(), worker: 1 }])
  }

  async readiness(): Promise<Readiness> {
    const app = this.#app
    return app === null ? { status: 'starting', checks: {} } : await app.readiness()
  }

  async status(): Promise<StatusFacts> {
    const { pid } = process
    const state = this.#app === null ? 'starting' : 'ready'
    return {
      pid,
      version: this.#version,
      name: this.#name,
      seconds: Math.round(process.uptime()),
      reloads: 0,
      workers: [
        { worker: 1, pid, state, requests: this.#requests(), memoryBytes: ownMemoryBytes() },
      ],
    }
  }
}
