/**
 * Own time of each step: spans of one request in (they nest and may overlap: a view awaits two
 * statements at once), milliseconds that add up to the whole out. Used by `views/flow.ts`.
 */
import type { Span, Step } from 'uwas'

export interface StepTimes {
  /** Each moment belongs to the deepest step that was under way in it. */
  readonly ownMs: Readonly<Partial<Record<Step, number>>>
  /** Time in which no step was under way. */
  readonly betweenMs: number
}

/** Which step encloses which: of two steps under way at once, the later one here is the inner one. */
const OUTER_TO_INNER: readonly Step[] = [
  'server',
  'middleware',
  'view',
  'route',
  'template',
  'model',
  'files',
  'reply',
]

export function stepTimes(spans: readonly Span[], totalMs: number): StepTimes {
  const edges = new Set([0, totalMs])
  for (const { startMs, durationMs } of spans) edges.add(startMs).add(startMs + durationMs)
  const moments = [...edges].filter((ms) => ms >= 0 && ms <= totalMs).sort((a, b) => a - b)
  const ownMs: Partial<Record<Step, number>> = {}
  let betweenMs = 0
  for (let i = 1; i < moments.length; i++) {
    const from = moments[i - 1] as number
    const to = moments[i] as number
    const step = innermost(spans, from, to)
    if (step === undefined) betweenMs += to - from
    else ownMs[step] = (ownMs[step] ?? 0) + to - from
  }
  return { ownMs, betweenMs }
}

function innermost(spans: readonly Span[], from: number, to: number): Step | undefined {
  let depth = -1
  for (const { step, startMs, durationMs } of spans) {
    if (startMs <= from && startMs + durationMs >= to) {
      depth = Math.max(depth, OUTER_TO_INNER.indexOf(step))
    }
  }
  return OUTER_TO_INNER[depth]
}
