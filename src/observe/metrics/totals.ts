/**
 * The metrics of all processes of a server as one. What a process has counted stays when it ends, so that no counter
 * ever goes back; its gauges go with it. Kept by whoever answers scrapes.
 */
import { type Family, keyOf, type MetricSamples, type Sample, widthOf } from './family.ts'
import { OTHER } from './registry.ts'

/** Series that are kept of one metric of processes that have ended; what further ones have counted is `other`. */
const MAX_KEPT = 10_000

interface Kept {
  readonly family: Family
  readonly byKey: Map<string, Sample>
}

/** The metrics of a process that runs, and its place as its `worker` label shows it; null: it shows none of such. */
export interface Source {
  readonly metrics: readonly MetricSamples[]
  readonly worker: number | null
}

export class Totals {
  readonly #kept: Map<string, Kept>

  constructor() {
    this.#kept = new Map()
  }

  /** Takes over what a process has counted that counts nothing more. */
  retire(metrics: readonly MetricSamples[]): void {
    for (const { family, samples } of metrics) {
      if (family.kind !== 'gauge') for (const sample of samples) put(this.#kept, family, sample)
    }
  }

  /** All together, in order of their names. */
  sum(sources: readonly Source[]): MetricSamples[] {
    const sum = new Map<string, Kept>()
    for (const { family, byKey } of this.#kept.values()) {
      for (const sample of byKey.values()) put(sum, family, sample)
    }
    for (const { metrics, worker } of sources) {
      for (const { family, samples } of metrics) {
        const shown = family.merge === 'worker' ? ofWorker(family, samples, worker) : samples
        for (const sample of shown) {
          if (!Number.isNaN(sample.values[0])) put(sum, labelled(family), sample)
        }
      }
    }
    return [...sum.values()]
      .map(({ family, byKey }) => ({ family, samples: [...byKey.values()] }))
      .sort((a, b) => (a.family.name < b.family.name ? -1 : 1))
  }
}

function labelled(family: Family): Family {
  return family.merge === 'worker' ? { ...family, labels: ['worker', ...family.labels] } : family
}

function ofWorker(
  { kind }: Family,
  samples: readonly Sample[],
  worker: number | null,
): readonly Sample[] {
  if (worker === null && kind === 'gauge') return []
  return samples.map(({ labels, values }) => ({ labels: [String(worker), ...labels], values }))
}

/** A metric that means something else than before, after a reload, begins anew. */
function put(all: Map<string, Kept>, family: Family, { labels, values }: Sample): void {
  let kept = all.get(family.name)
  if (kept === undefined || !isSame(kept.family, family)) {
    kept = { family, byKey: new Map() }
    all.set(family.name, kept)
  }
  const key = keyOf(labels)
  const before = kept.byKey.get(key)
  if (before !== undefined) merge(family, before.values, values)
  else if (kept.byKey.size < MAX_KEPT) {
    kept.byKey.set(key, { labels, values: Float64Array.from(values) })
  } else {
    const others = labels.map(() => OTHER)
    const other = kept.byKey.get(keyOf(others)) ?? {
      labels: others,
      values: new Float64Array(widthOf(family)),
    }
    kept.byKey.set(keyOf(others), other)
    merge(family, other.values, values)
  }
}

function merge({ kind, merge: how }: Family, into: Float64Array, values: Float64Array): void {
  for (let i = 0; i < into.length; i++) {
    const a = into[i] as number
    const b = values[i] as number
    if (kind === 'gauge' && how === 'max') into[i] = Math.max(a, b)
    else if (kind === 'gauge' && how === 'min') into[i] = Math.min(a, b)
    else into[i] = a + b
  }
}

function isSame(a: Family, b: Family): boolean {
  return (
    a.kind === b.kind &&
    a.labels.join() === b.labels.join() &&
    a.bounds.join() === b.bounds.join() &&
    a.merge === b.merge
  )
}
