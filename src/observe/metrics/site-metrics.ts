/**
 * A site's own metrics: declared once at module level, counted by its views, told by the status listener together with
 * those of uwas itself.
 */
import { createError } from '../../core/errors.ts'
import { hintNearest } from '../../core/nearest.ts'
import type { MetricKind } from './family.ts'
import {
  type CounterSeries,
  type GaugeSeries,
  type HistogramSeries,
  type Metric,
  Registry,
} from './registry.ts'

/** What is told of a metric, and by what its numbers are told apart. */
export interface MetricOptions<L extends string = string> {
  /** One sentence for who reads it. */
  readonly help: string
  /** Names of labels. Each set of values takes memory here and there: never ids, addresses, or what clients write. */
  readonly labels?: readonly L[]
  /** Sets of label values at most; all further ones count as `other`. 1 to 10,000; default 1000. */
  readonly maxSeries?: number
}

/** What is told of a gauge. */
export interface GaugeOptions<L extends string = string> extends MetricOptions<L> {
  /** How the numbers of several workers become one: their `'sum'`, or the `'max'`. Default `'sum'`. */
  readonly merge?: 'sum' | 'max'
}

/** What is told of a histogram. */
export interface HistogramOptions<L extends string = string> extends MetricOptions<L> {
  /** Upper bounds of the buckets, ascending. Default: 0.005 to 10, for seconds. */
  readonly buckets?: readonly number[]
}

/** Values for all labels; none for a metric without. */
export type LabelValues<L extends string> = Readonly<Record<L, string | number | boolean>>
type Given<L extends string, Rest extends unknown[]> = [L] extends [never]
  ? Rest
  : [labels: LabelValues<L>, ...Rest]

/** Goes up: orders, mails, failures. */
export interface Counter<L extends string = never> {
  /** Adds `by`, default 1. Throws UWAS_ERR_OBSERVE_VALUE for less than 0, and for labels that were not declared. */
  add(...given: Given<L, [by?: number]>): void
}

/** Goes up and down: the length of a queue, a temperature. It begins at 0 in each worker. */
export interface Gauge<L extends string = never> {
  /** Throws UWAS_ERR_OBSERVE_VALUE, as all of these. */
  set(...given: Given<L, [value: number]>): void
  add(...given: Given<L, [by?: number]>): void
}

/** How often values were how large: seconds of a payment, bytes of an upload. */
export interface Histogram<L extends string = never> {
  observe(...given: Given<L, [value: number]>): void
}

interface Declared {
  readonly metric: object
  readonly shape: string
}

const DEFAULT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const MAX_BUCKETS = 100
const MOST_SERIES = 10_000
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,199}$/
/** Added by Prometheus, by the text format, and by uwas. */
const TAKEN_LABELS: ReadonlySet<string> = new Set(['le', 'quantile', 'job', 'instance', 'worker'])

let generation = { registry: new Registry(), byName: new Map<string, Declared>() }

/** Where they are counted, for reports. */
export function siteMetrics(): Registry {
  return generation.registry
}

/** Forgets all names, so that modules that are loaded again may declare them again. */
export function beginMetricGeneration(): void {
  generation = { registry: new Registry(), byName: new Map() }
}

/**
 * Declares a counter: `const orders = counter('shop_orders_total', { help: 'Orders.', labels: ['kind'] })`, then
 * `orders.add({ kind: 'book' })`. Throws UWAS_ERR_OBSERVE_METRIC for a name that is taken, or not as Prometheus wants it
 * (https://prometheus.io/docs/practices/naming/).
 */
export function counter<const L extends string = never>(
  name: string,
  options: MetricOptions<L>,
): Counter<L> {
  return declare('counter', name, options, (registry) => {
    const labels = options.labels ?? []
    const metric = registry.counter(name, { ...options, labels })
    return {
      add(...given: readonly unknown[]) {
        const { series, value = 1 } = read(metric, given)
        series.add(value)
      },
    }
  })
}

/** Declares a gauge; as `counter`. */
export function gauge<const L extends string = never>(
  name: string,
  options: GaugeOptions<L>,
): Gauge<L> {
  return declare('gauge', name, options, (registry) => {
    const metric = registry.gauge(name, { ...options, labels: options.labels ?? [] })
    return {
      set(...given: readonly unknown[]) {
        const { series, value } = read(metric, given)
        series.set(needed(name, value))
      },
      add(...given: readonly unknown[]) {
        const { series, value = 1 } = read(metric, given)
        series.add(value)
      },
    }
  })
}

/** Declares a histogram; as `counter`. */
export function histogram<const L extends string = never>(
  name: string,
  options: HistogramOptions<L>,
): Histogram<L> {
  return declare('histogram', name, options, (registry) => {
    const { labels = [], buckets: bounds = DEFAULT_BUCKETS } = options
    const metric = registry.histogram(name, { ...options, labels, bounds })
    return {
      observe(...given: readonly unknown[]) {
        const { series, value } = read(metric, given)
        series.observe(needed(name, value))
      },
    }
  })
}

/** The same declaration twice is the same metric: modules may be loaded by two ways. */
function declare<T extends object>(
  kind: MetricKind,
  name: string,
  options: HistogramOptions & GaugeOptions,
  make: (registry: Registry) => object,
): T {
  const { registry, byName } = generation
  check(kind, name, options)
  const shape = JSON.stringify([kind, options])
  const before = byName.get(name)
  if (before !== undefined) {
    if (before.shape === shape) return before.metric as T
    throw wrong(name, 'the name is declared twice, differently; every metric needs its own')
  }
  const metric = make(registry)
  byName.set(name, { metric, shape })
  return metric as T
}

const OPTIONS: Readonly<Record<MetricKind, readonly string[]>> = {
  counter: ['help', 'labels', 'maxSeries'],
  gauge: ['help', 'labels', 'maxSeries', 'merge'],
  histogram: ['help', 'labels', 'maxSeries', 'buckets'],
}

function check(kind: MetricKind, name: string, options: HistogramOptions & GaugeOptions): void {
  for (const key of Object.keys(options)) {
    if (!OPTIONS[kind].includes(key)) {
      throw wrong(name, `no option "${key}"${hintNearest(key, OPTIONS[kind])}`)
    }
  }
  checkName(kind, name)
  const { help, labels = [], maxSeries = 1, buckets = DEFAULT_BUCKETS, merge = 'sum' } = options
  if (typeof help !== 'string' || help.trim() === '') {
    throw wrong(name, 'it needs a help: what it counts, in a sentence')
  }
  if (!Number.isInteger(maxSeries) || maxSeries < 1 || maxSeries > MOST_SERIES) {
    throw wrong(name, `maxSeries is ${maxSeries}; it has to be a whole number from 1 to 10000`)
  }
  if (merge !== 'sum' && merge !== 'max') {
    throw wrong(name, `merge is "${merge}"; it has to be "sum" or "max"`)
  }
  for (const label of labels) {
    if (!NAME.test(label) || label.startsWith('__') || TAKEN_LABELS.has(label)) {
      throw wrong(name, `"${label}" cannot be a label; letters, digits and _ make one`)
    }
  }
  if (new Set(labels).size < labels.length) throw wrong(name, 'a label is named twice')
  const ascends = buckets.every((bound, i) => i === 0 || bound > (buckets[i - 1] as number))
  const areFew = buckets.length >= 1 && buckets.length <= MAX_BUCKETS
  if (!areFew || !ascends || !buckets.every(Number.isFinite)) {
    throw wrong(name, 'its buckets have to be 1 to 100 numbers, each larger than the one before')
  }
}

function checkName(kind: MetricKind, name: string): void {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw wrong(String(name), 'letters, digits and _ make a name')
  }
  if (name.startsWith('uwas_')) throw wrong(name, 'names that begin with uwas_ are those of uwas')
  if (kind === 'counter' && !name.endsWith('_total')) {
    throw wrong(name, `the name of a counter ends with _total: ${name}_total`)
  }
  const ending = /_(?:total|sum|count|bucket|created|info)$/.exec(name)?.[0]
  if (kind !== 'counter' && ending !== undefined) {
    throw wrong(name, `the name of a ${kind} must not end with ${ending}`)
  }
}

interface Read<S> {
  readonly series: S
  readonly value: number | undefined
}

/** From the arguments: labels, where the metric has some, and a number. */
function read<S extends CounterSeries | GaugeSeries | HistogramSeries>(
  metric: Metric<S>,
  given: readonly unknown[],
): Read<S> {
  const { name, kind, labels } = metric.family
  const value = labels.length === 0 ? given[0] : given[1]
  if (value !== undefined && !Number.isFinite(value)) {
    throw wrongValue(name, `${String(value)} is no number that can be counted`)
  }
  if (kind === 'counter' && Number(value) < 0) {
    throw wrongValue(name, `${String(value)} is less than 0; a counter only goes up`)
  }
  if (labels.length === 0) return { series: metric.at(), value: value as number | undefined }
  const named = (given[0] ?? {}) as Readonly<Record<string, unknown>>
  const values = labels.map((label) => {
    const one = named[label]
    if (one === undefined || one === null) throw wrongValue(name, `the label "${label}" is missing`)
    return String(one)
  })
  for (const key in named) {
    if (!labels.includes(key)) {
      throw wrongValue(name, `the label "${key}" is not declared${hintNearest(key, labels)}`)
    }
  }
  return { series: metric.at(...values), value: value as number | undefined }
}

function needed(name: string, value: number | undefined): number {
  if (value === undefined) throw wrongValue(name, 'it needs a number')
  return value
}

function wrong(name: string, problem: string): Error {
  return createError('UWAS_ERR_OBSERVE_METRIC', { name, problem })
}

function wrongValue(name: string, problem: string): Error {
  return createError('UWAS_ERR_OBSERVE_VALUE', { name, problem })
}
