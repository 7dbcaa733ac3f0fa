/** Recorded requests as the templates of `/flow` draw them. Called by `views/flow.ts`. */
import type { RecordedTrace, Step } from 'uwas'
import type { Dictionary } from '../i18n/dictionary.ts'
import { formatCount, formatDuration } from '../i18n/format.ts'
import type { Speaker } from '../i18n/language.ts'
import { type StepTimes, stepTimes } from './step-times.ts'
import { LINES, type Line, PARTS, type Stop } from './stops.ts'

/** Units of the view box of a ticket's bar. */
const BAR_WIDTH = 1000

interface Ride {
  readonly line: Line
  readonly trace: RecordedTrace | undefined
  readonly times: StepTimes | undefined
}

/** One request in short: what it asked for, how long it took, and a bar of its steps. */
export function describeTicket({ lang, t }: Speaker, line: Line, trace: RecordedTrace | undefined) {
  const name = line === 'page' ? t.way.page : t.way.file
  if (trace === undefined) {
    return { line, name, trace: null, none: line === 'page' ? t.way.pageNone : t.way.fileNone }
  }
  return {
    line,
    name,
    trace: {
      method: trace.method,
      path: trace.path,
      total: formatDuration(lang, trace.totalMs),
      parts: describeParts(stepTimes(trace.spans, trace.totalMs), trace.totalMs),
    },
  }
}

/** All stations with the times of both lines, and their sums. */
export function describeWay(
  speaker: Speaker,
  page: RecordedTrace | undefined,
  file: RecordedTrace | undefined,
) {
  const { lang, t } = speaker
  const rides = [ride('page', page), ride('file', file)]
  const sum = (read: (ride: Ride) => number | undefined) =>
    rides.map((one) => {
      const ms = read(one)
      const value = ms === undefined ? '' : formatDuration(lang, ms)
      return { line: one.line, step: '', value, why: t.way.notMeasured, bar: 0 }
    })
  return {
    parts: PARTS.map(({ inProcess, stops }) => ({
      inProcess,
      steps: stops.map((stop) => ({
        ...t.way.steps[stop.step],
        stops: stop.lines.length === LINES.length ? 'stops-both' : `stops-${stop.lines[0]}`,
        detail: detailOf(speaker, stop, page),
        times: rides.map((one) => describeTime(speaker, stop, one)),
      })),
    })),
    sums: [
      { kind: 'between', name: t.way.between, times: sum(({ times }) => times?.betweenMs) },
      { kind: 'sum', name: t.way.total, times: sum(({ trace }) => trace?.totalMs) },
    ],
  }
}

/** The sentence for visitors without scripts, cut into text and links. */
export function describeByHand(t: Dictionary, pageHref: string, fileHref: string) {
  const links: Readonly<Record<string, { text: string; href: string; label: string }>> = {
    '{page}': { text: '', href: pageHref, label: t.way.byHandPage },
    '{file}': { text: '', href: fileHref, label: t.way.byHandFile },
  }
  return t.way.byHand
    .split(/(\{\w+\})/)
    .map((part) => links[part] ?? { text: part, href: false, label: false })
}

function ride(line: Line, trace: RecordedTrace | undefined): Ride {
  return { line, trace, times: trace && stepTimes(trace.spans, trace.totalMs) }
}

function describeTime({ lang, t }: Speaker, { step, lines }: Stop, { line, trace, times }: Ride) {
  const ms = lines.includes(line) ? ownTime(times, step) : undefined
  if (ms === undefined || trace === undefined) {
    return {
      line,
      step,
      value: '',
      bar: 0,
      why: lines.includes(line) ? t.way.notMeasured : t.way.passes,
    }
  }
  return { line, step, value: formatDuration(lang, ms), bar: share(ms, trace.totalMs, 100) }
}

/** What exactly the page's request met here: the pattern, the statements, the template. */
function detailOf({ lang, t }: Speaker, { step }: Stop, trace: RecordedTrace | undefined): string {
  const details = (wanted: Step) =>
    (trace?.spans ?? []).filter((span) => span.step === wanted).map((span) => span.detail)
  if (step === 'route') return details('route')[0] ?? ''
  if (step === 'template') return details('template').join(', ')
  const statements = details('model').length
  return step === 'model' && statements > 0 ? formatCount(lang, t.way.statements, statements) : ''
}

/** The steps of one request side by side, in the order of the stations. */
function describeParts(times: StepTimes, totalMs: number) {
  const stops = PARTS.flatMap((part) => part.stops)
  const lengths = [
    ...stops.map(({ step }) => ({ step, ms: ownTime(times, step) ?? 0 })),
    { step: 'between', ms: times.betweenMs },
  ]
  let x = 0
  return lengths.map(({ step, ms }) => {
    const part = { step, x, width: share(ms, totalMs, BAR_WIDTH) }
    x += part.width
    return part
  })
}

function ownTime(times: StepTimes | undefined, step: Stop['step']): number | undefined {
  return step === 'browser' || step === 'shown' ? undefined : times?.ownMs[step]
}

function share(ms: number, totalMs: number, width: number): number {
  return totalMs > 0 ? Math.round((ms / totalMs) * width * 10) / 10 : 0
}
