/** `cpu` and `flame`: V8's own sampling of the stack, as tables of the hottest functions and as a flame graph. */
import { readFileSync } from 'node:fs'
import { mainThreadMs } from '../../method/cpu.ts'
import { flameGraph, LEGEND } from '../flame-graph.ts'
import { NATIVE } from '../places.ts'
import { type Part, publish } from '../report.ts'
import { WARM_SECONDS, withSubject } from '../subject.ts'
import { byOwner, type Call, hottest, treeOfCpu } from '../tree.ts'
import { count, type Kind, type Order, share, underLoad } from './kind.ts'

/** Shorter intervals measure themselves. */
const INTERVAL_MICROS = 250
const LISTED = 60

export const cpu: Kind = {
  title: 'the same without clinic',
  profile: (order) => profileCpu(order, 'cpu'),
}

export const flame: Kind = {
  title: 'hottest functions and a flame graph, by V8’s sampling',
  profile: (order) => profileCpu(order, 'flame'),
}

async function profileCpu(order: Order, kind: string): Promise<readonly string[]> {
  const { target, connections, stem } = order
  const file = `${stem}.cpuprofile`
  const options = connections === undefined ? {} : { connections }
  const { result, threadMs } = await withSubject(target, options, async (subject) => {
    await subject.load(WARM_SECONDS)
    await subject.probe.ask('cpu-start', { intervalMicros: INTERVAL_MICROS })
    const before = mainThreadMs(subject.pid)
    const loaded = await subject.load(order.seconds)
    const spent = mainThreadMs(subject.pid) - before
    await subject.probe.ask('cpu-stop', { file })
    return { result: loaded, threadMs: spent }
  })
  const root = treeOfCpu(JSON.parse(readFileSync(file, 'utf8')), threadMs * 1000)
  const head = `${underLoad(result)}, ${count(root.total / result.requests, 1)} µs of the main thread each, which ran ${share(threadMs, result.seconds * 1000)} of the time`
  const micros = (amount: number): string =>
    `${share(amount, root.total)}, ${count(amount / result.requests, 2)} µs a request`
  const page = publish(
    {
      title: `${kind} of ${target.name}`,
      head,
      parts: [
        { title: 'Flame graph', chart: `<p>${LEGEND}</p>\n${flameGraph(root, micros)}` },
        hottestPart(root, result.requests, 'µs/req'),
        ownersPart(root, result.requests, 'µs/req'),
      ],
    },
    stem,
  )
  return [page, file]
}

export function hottestPart(root: Call, requests: number, unit: string): Part {
  const rows = hottest(root)
    .slice(0, LISTED)
    .map(({ name, where, own, total }) => [
      share(own, root.total),
      count(own / requests, 2),
      share(total, root.total),
      where === '' ? name : `${name}  ${where}`,
    ])
  return {
    title: 'Hottest functions',
    rows: [['itself', unit, 'with calls', 'function'], ...rows],
  }
}

export function ownersPart(root: Call, requests: number, unit: string): Part {
  const owners = byOwner(root)
  const rows = owners.map(([owner, own]) => [
    share(own, root.total),
    count(own / requests, 2),
    owner,
  ])
  const native = owners.some(([owner]) => owner === NATIVE)
  return {
    title: 'Whose it is',
    rows: [['part', unit, 'of'], ...rows],
    ...(native && {
      notes: [
        'Native code and kernel from inside: npm run profile -- perf with the same scenario.',
      ],
    }),
  }
}
