/** V8's CPU and heap profiles → one tree of calls, and from it what is hottest and whose it is. */
import { type CallFrame, NATIVE, OF_THE_PROBE, type Place, placeOf } from './places.ts'

export interface Call extends Place {
  /** Of the function itself, without what it calls: microseconds or bytes. */
  own: number
  /** With what it calls. */
  total: number
  readonly calls: Call[]
}

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: CallFrame
    readonly children?: readonly number[]
  }[]
  readonly samples?: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas?: readonly number[]
}

export interface HeapNode {
  readonly callFrame: CallFrame
  readonly selfSize: number
  readonly children: readonly HeapNode[]
}

const IDLE = '(idle)'

/**
 * Microseconds. V8 counts the engine's reading and writing of sockets as idle, since Node waits for sockets there too:
 * what the kernel's books have beyond the samples (`threadMicros` of the main thread) is put where it belongs.
 */
export function treeOfCpu(
  { nodes, samples = [], timeDeltas = [] }: CpuProfile,
  threadMicros: number,
): Call {
  const own = new Map<number, number>()
  for (const [i, id] of samples.entries()) own.set(id, (own.get(id) ?? 0) + (timeDeltas[i] ?? 0))
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const build = (id: number, parent: Call): void => {
    const node = byId.get(id)
    if (node === undefined || node.callFrame.functionName === IDLE) return
    const place = placeOf(node.callFrame)
    if (place.owner === OF_THE_PROBE) return
    const call = enter(parent, place, own.get(id) ?? 0)
    for (const child of node.children ?? []) build(child, call)
  }
  const root = emptyRoot()
  for (const child of nodes[0]?.children ?? []) build(child, root)
  const rest = threadMicros - sum(root)
  if (rest > 0) {
    const engine = { name: 'engine, before and after JavaScript', where: '', owner: NATIVE }
    enter(root, engine, rest)
    sum(root)
  }
  return root
}

/** Bytes. */
export function treeOfHeap(head: HeapNode): Call {
  const root = emptyRoot()
  const build = ({ callFrame, selfSize, children }: HeapNode, parent: Call): void => {
    const place = placeOf(callFrame)
    if (place.owner === OF_THE_PROBE) return
    const call = enter(parent, place, selfSize)
    for (const child of children) build(child, call)
  }
  for (const child of head.children) build(child, root)
  sum(root)
  return root
}

export interface Hot extends Place {
  readonly own: number
  /** With what it calls; a function that calls itself counts once. */
  readonly total: number
}

/** Functions by what they cost themselves, the dearest first. */
export function hottest(root: Call): Hot[] {
  const found = new Map<string, { place: Place; own: number; total: number }>()
  const visit = (call: Call, above: ReadonlySet<string>): void => {
    const key = keyOf(call)
    const { name, where, owner } = call
    const hot = found.get(key) ?? { place: { name, where, owner }, own: 0, total: 0 }
    found.set(key, hot)
    hot.own += call.own
    if (!above.has(key)) hot.total += call.total
    const inside = new Set(above).add(key)
    for (const one of call.calls) visit(one, inside)
  }
  for (const call of root.calls) visit(call, new Set())
  return [...found.values()]
    .map(({ place, own, total }) => ({ ...place, own, total }))
    .sort((a, b) => b.own - a.own)
}

/** What each owner's functions cost themselves, the dearest first. */
export function byOwner(root: Call): (readonly [owner: string, own: number])[] {
  const sums = new Map<string, number>()
  for (const { owner, own } of hottest(root)) sums.set(owner, (sums.get(owner) ?? 0) + own)
  return [...sums].sort(([, a], [, b]) => b - a)
}

function emptyRoot(): Call {
  return { name: 'all', where: '', owner: '', own: 0, total: 0, calls: [] }
}

/** The same function called from the same one stands there once. */
function enter(parent: Call, place: Place, own: number): Call {
  const key = keyOf(place)
  let call = parent.calls.find((one) => keyOf(one) === key)
  if (call === undefined) {
    call = { ...place, own: 0, total: 0, calls: [] }
    parent.calls.push(call)
  }
  call.own += own
  return call
}

function sum(call: Call): number {
  call.total = call.calls.reduce((all, one) => all + sum(one), call.own)
  call.calls.sort((a, b) => b.total - a.total)
  return call.total
}

function keyOf({ name, where }: Place): string {
  return `${name}\n${where}`
}

/** Sampled stacks, the outermost call first; `worth`: what each stands for. */
export function treeOfStacks(stacks: readonly (readonly Place[])[], worth: number): Call {
  const root = emptyRoot()
  for (const stack of stacks) {
    const last = stack.reduce<Call>((parent, place) => enter(parent, place, 0), root)
    last.own += worth
  }
  sum(root)
  return root
}
