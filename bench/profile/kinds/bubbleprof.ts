/** `bubbleprof`: what answers wait for. Asynchronous resources by kind and by who made them, by Node's async_hooks. */

import { placeOf } from '../places.ts'
import type { AsyncGroup } from '../probe.ts'
import { type Part, publish } from '../report.ts'
import { WARM_SECONDS, withSubject } from '../subject.ts'
import { count, type Kind, type Order, underLoad } from './kind.ts'

/** The hooks make everything slower, so fewer requests at a time are nearer to the truth. */
const CONNECTIONS = 8
const LISTED = 60

export const bubbleprof: Kind = {
  title: 'what answers wait for, by async_hooks',
  profile: profileAsyncs,
}

export async function profileAsyncs({
  target,
  connections = CONNECTIONS,
  stem,
  seconds,
}: Order): Promise<readonly string[]> {
  const { result, groups } = await withSubject(target, { connections }, async (subject) => {
    await subject.load(WARM_SECONDS)
    await subject.probe.ask('async-start')
    const loaded = await subject.load(seconds)
    return { result: loaded, groups: await subject.probe.ask('async-stop') }
  })
  const page = publish(
    {
      title: `bubbleprof of ${target.name}`,
      head: `${underLoad(result)} over ${connections} connections (the hooks make everything slower)`,
      parts: asyncParts(groups, result.requests),
    },
    stem,
  )
  return [page]
}

export function asyncParts(groups: readonly AsyncGroup[], requests: number): Part[] {
  const byWait = [...groups].sort((a, b) => b.waitedMs - a.waitedMs)
  const kinds = new Map<string, { times: number; waitedMs: number }>()
  for (const { type, times, waitedMs } of byWait) {
    const kind = kinds.get(type) ?? { times: 0, waitedMs: 0 }
    kinds.set(type, { times: kind.times + times, waitedMs: kind.waitedMs + waitedMs })
  }
  const cells = (waitedMs: number, times: number): string[] => [
    count((waitedMs * 1000) / requests, 1),
    count(times / requests, 2),
  ]
  return [
    {
      title: 'Waited for, by who made it',
      rows: [
        ['µs/req', 'made/req', 'longest ms', 'what, and where it was made'],
        ...byWait
          .slice(0, LISTED)
          .map(({ type, place, times, waitedMs, longestMs }) => [
            ...cells(waitedMs, times),
            count(longestMs, 2),
            `${type}  ${shown(place)}`,
          ]),
      ],
      notes: [
        'From making to running for the first time. Waits within each other are counted in each: a promise of a promise twice.',
      ],
    },
    {
      title: 'By kind',
      rows: [
        ['µs/req', 'made/req', 'what'],
        ...[...kinds]
          .sort(([, a], [, b]) => b.waitedMs - a.waitedMs)
          .map(([type, { times, waitedMs }]) => [...cells(waitedMs, times), type]),
      ],
    },
  ]
}

/** `name url:line:column`, or nothing where only Node's own code was on the stack. */
function shown(place: string): string {
  const [, name = '', url, line, column] = /^(.*) (\S+?):(\d+):(\d+)$/.exec(place) ?? []
  if (url === undefined) return 'by Node or an add-on'
  const found = placeOf({
    functionName: name,
    scriptId: '1',
    url: url.startsWith('/') ? `file://${url}` : url,
    lineNumber: Number(line) - 1,
    columnNumber: Number(column) - 1,
  })
  return `${found.name}  ${found.where}`
}
