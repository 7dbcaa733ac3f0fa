/** `doctor`: how the event loop, the CPU, the heap and the collector do under load, and what to look at next. */
import { lineChart } from '../line-chart.ts'
import type { Vital, Vitals } from '../probe.ts'
import { type Part, publish } from '../report.ts'
import { WARM_SECONDS, withSubject } from '../subject.ts'
import { count, type Kind, type Order, share, underLoad } from './kind.ts'

/** Beyond these a finding is made of it. */
const BUSY_LOOP = 0.95
const WAITING_LOOP = 0.5
const MUCH_GARBAGE = 0.1
const LATE_MS = 50

export const doctor: Kind = {
  title: 'event loop, CPU, heap and garbage, and what to look at next',
  profile: profileDoctor,
}

export async function profileDoctor({
  target,
  connections,
  stem,
  seconds,
}: Order): Promise<readonly string[]> {
  const options = connections === undefined ? {} : { connections }
  const { result, vitals } = await withSubject(target, options, async (subject) => {
    await subject.load(WARM_SECONDS)
    await subject.probe.ask('vitals-start')
    const loaded = await subject.load(seconds)
    return { result: loaded, vitals: await subject.probe.ask('vitals-stop') }
  })
  const page = publish(
    {
      title: `doctor of ${target.name}`,
      head: underLoad(result),
      parts: [figuresPart(vitals), { title: 'Findings', notes: findings(vitals) }, charts(vitals)],
    },
    stem,
  )
  return [page]
}

const FIGURES: readonly {
  readonly title: string
  readonly unit: string
  readonly digits: number
  of(vital: Vital): number
}[] = [
  { title: 'CPU, all threads', unit: 'cores', digits: 2, of: ({ cpu }) => cpu },
  { title: 'event loop at work', unit: 'of the time', digits: 2, of: ({ loop }) => loop },
  { title: 'longest delay of a timer', unit: 'ms', digits: 1, of: ({ delayMs }) => delayMs },
  { title: 'heap', unit: 'MiB', digits: 1, of: ({ heapMib }) => heapMib },
  { title: 'active resources', unit: '', digits: 0, of: ({ handles }) => handles },
]

function figuresPart({ ms, samples, garbage }: Vitals): Part {
  const rows = FIGURES.map(({ title, unit, digits, of }) => {
    const values = samples.map(of).sort((a, b) => a - b)
    const at = (part: number): string =>
      count(values[Math.floor(part * (values.length - 1))] ?? Number.NaN, digits)
    return [at(0), at(0.5), at(1), unit === '' ? title : `${title}, ${unit}`]
  })
  const longest = `${count(garbage.longestMs, 1)} ms the longest`
  return {
    title: 'Vital signs, a tenth of a second each',
    rows: [['least', 'middle', 'most', 'of'], ...rows],
    notes: [
      `Garbage was collected ${count(garbage.times)} times, ${share(garbage.ms, ms)} of the time, ${longest}.`,
    ],
  }
}

export function findings({ ms, samples, garbage }: Vitals): string[] {
  const middle = (of: (vital: Vital) => number): number =>
    samples.map(of).sort((a, b) => a - b)[samples.length >> 1] ?? Number.NaN
  const loop = middle((vital) => vital.loop)
  const late = samples.filter(({ delayMs }) => delayMs > LATE_MS).length
  const found = [
    loop > BUSY_LOOP &&
      'The event loop is never free: this process is the limit. "cpu" shows which functions take it.',
    loop < WAITING_LOOP &&
      'The event loop waits most of the time: the load is small, or answers wait for something else. "bubbleprof" shows for what.',
    garbage.ms / ms > MUCH_GARBAGE &&
      `Garbage takes ${share(garbage.ms, ms)} of the time. "heap" shows who makes it.`,
    late > 0 &&
      `In ${late} of ${samples.length} tenths of a second a timer was more than ${LATE_MS} ms late: something holds the event loop that long, or the machine was busy with other work.`,
  ].filter((one) => one !== false)
  return found.length > 0 ? found : ['Nothing stands out.']
}

function charts({ samples }: Vitals): Part {
  const drawn = FIGURES.map(({ title, unit, digits, of }, i) =>
    lineChart({
      id: `vital-${i}`,
      title: unit === '' ? title : `${title}, ${unit}`,
      digits,
      points: samples.map((vital) => [vital.atMs / 1000, of(vital)] as const),
    }),
  )
  return { title: 'Over time', chart: drawn.join('\n') }
}
