/** `heap`: who allocates, by V8's sampling of allocations, with all that the collector has freed since. */
import { readFileSync } from 'node:fs'
import { flameGraph, LEGEND } from '../flame-graph.ts'
import { publish } from '../report.ts'
import { WARM_SECONDS, withSubject } from '../subject.ts'
import { treeOfHeap } from '../tree.ts'
import { hottestPart, ownersPart } from './cpu.ts'
import { count, type Kind, type Order, share, underLoad } from './kind.ts'

const INTERVAL_BYTES = 16 * 1024

export async function profileHeap({
  target,
  connections,
  stem,
  seconds,
}: Order): Promise<readonly string[]> {
  const file = `${stem}.heapprofile`
  const options = connections === undefined ? {} : { connections }
  const { loaded, before, after } = await withSubject(target, options, async (subject) => {
    await subject.load(WARM_SECONDS)
    const kept = await subject.probe.ask('heap-used')
    await subject.probe.ask('heap-start', { intervalBytes: INTERVAL_BYTES })
    const result = await subject.load(seconds)
    await subject.probe.ask('heap-stop', { file })
    return { loaded: result, before: kept, after: await subject.probe.ask('heap-used') }
  })
  const root = treeOfHeap(JSON.parse(readFileSync(file, 'utf8')).head)
  const { requests } = loaded
  const grown = (after - before) / 1024
  const bytes = (amount: number): string =>
    `${share(amount, root.total)}, ${count(amount / requests)} bytes a request`
  const page = publish(
    {
      title: `heap of ${target.name}`,
      head: `${underLoad(loaded)}, ${count(root.total / requests)} bytes allocated each; after a full collection the heap is ${count(after / 2 ** 20, 1)} MiB, ${count(grown)} KiB more than before`,
      parts: [
        { title: 'Who allocates', chart: `<p>${LEGEND}</p>\n${flameGraph(root, bytes)}` },
        hottestPart(root, requests, 'bytes/req'),
        ownersPart(root, requests, 'bytes/req'),
      ],
    },
    stem,
  )
  return [page, file]
}

export const heap: Kind = { title: 'who allocates, by V8’s sampling', profile: profileHeap }
