/** `perf`: stacks of the whole process from outside, kernel and engine included, with V8's map of its code; and the counters that the machine has. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { flameGraph } from '../flame-graph.ts'
import { type Place, placeOf } from '../places.ts'
import { type Part, publish } from '../report.ts'
import { WARM_SECONDS, withSubject } from '../subject.ts'
import { treeOfStacks } from '../tree.ts'
import { hottestPart, ownersPart } from './cpu.ts'
import { count, type Kind, type Order, share, underLoad } from './kind.ts'

/** A prime: it does not fall into step with timers. */
const HERTZ = 997
const MICROS_PER_SAMPLE = 1e6 / HERTZ
/** The first ones need hardware, which machines of the cloud often hide. */
const COUNTERS = [
  ...['instructions', 'cycles', 'branch-misses', 'cache-misses'],
  ...['task-clock', 'context-switches', 'cpu-migrations', 'page-faults'],
]
const NODE_FLAGS = ['--perf-basic-prof-only-functions']
const MOST_BYTES = 1024 * 1024 * 1024

export const perf: Kind = {
  title: 'hottest functions of kernel, engine and JavaScript, by perf; counters',
  missing() {
    const { error, status, stderr } = spawnSync(
      'perf',
      ['record', '-q', '-e', 'cpu-clock', '-o', '/dev/null', 'true'],
      { encoding: 'utf8' },
    )
    if (error !== undefined) return 'perf is not here: apt-get install linux-perf'
    return status === 0 ? undefined : `the kernel does not let perf in: ${stderr.trim()}`
  },
  profile: profilePerf,
}

async function profilePerf({
  target,
  connections,
  stem,
  seconds,
}: Order): Promise<readonly string[]> {
  const file = `${stem}.perf.data`
  const options = { nodeFlags: NODE_FLAGS, ...(connections !== undefined && { connections }) }
  let map = ''
  try {
    const { result, stacks, counters } = await withSubject(target, options, async (subject) => {
      map = `/tmp/perf-${subject.pid}.map`
      await subject.load(WARM_SECONDS)
      const recording = start(
        ['record', '-q', '-F', String(HERTZ), '-e', 'cpu-clock', '-g'],
        [...['-p', String(subject.pid), '-o', file]],
      )
      const counting = start(
        ['stat', '-x', ';', '-e', COUNTERS.join(',')],
        [...['-p', String(subject.pid)]],
      )
      const loaded = await subject.load(seconds)
      const [, text] = await Promise.all([finish(recording), finish(counting)])
      const script = run(['script', '-i', file, '-F', 'ip,sym,dso'])
      return { result: loaded, stacks: stacksOf(script), counters: text }
    })
    const root = treeOfStacks(stacks, MICROS_PER_SAMPLE)
    const { requests } = result
    const micros = (amount: number): string =>
      `${share(amount, root.total)}, ${count(amount / requests, 2)} µs a request`
    const page = publish(
      {
        title: `perf of ${target.name}`,
        head: `${underLoad(result)}, ${count(root.total / requests, 1)} µs of all threads each, ${count(stacks.length)} samples`,
        parts: [
          { title: 'Flame graph', chart: flameGraph(root, micros) },
          hottestPart(root, requests, 'µs/req'),
          { ...ownersPart(root, requests, 'µs/req'), notes: [] },
          countersPart(counters, requests),
        ],
      },
      stem,
    )
    return [page, file]
  } finally {
    if (map !== '') rmSync(map, { force: true })
  }
}

interface Tool {
  readonly child: ChildProcess
  readonly output: Promise<string>
}

function start(what: readonly string[], on: readonly string[]): Tool {
  const child = spawn('perf', [...what, ...on], { stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr?.on('data', (part) => {
    text += part
  })
  const output = new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve(text))
  })
  return { child, output }
}

/** What it wrote to its errors. */
function finish({ child, output }: Tool): Promise<string> {
  child.kill('SIGINT')
  return output
}

function run(args: readonly string[]): string {
  return execFileSync('perf', args, {
    encoding: 'utf8',
    maxBuffer: MOST_BYTES,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

/** Stacks from the outside in. */
export function stacksOf(text: string): readonly (readonly Place[])[] {
  const places = new Map<string, Place>()
  return text
    .split('\n\n')
    .map((block) =>
      block
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => {
          const place = places.get(line) ?? placeOfLine(line)
          places.set(line, place)
          return place
        })
        .reverse(),
    )
    .filter((stack) => stack.length > 0)
}

/** `ADDRESS SYMBOL (FILE)`. */
function placeOfLine(line: string): Place {
  const [, symbol = '[unknown]', file = ''] = /^\s*[0-9a-f]+ (.*) \((.*?)\)$/.exec(line) ?? []
  const [, name, url, row, column] =
    /^(?:JS|LazyCompile|Function|Script):[*~^+]*(.*?) ?((?:(?:file:|node:|uwas)\S*?)?):(\d+):(\d+)$/.exec(
      symbol,
    ) ?? []
  if (url !== undefined) {
    return placeOf({
      functionName: name ?? '',
      scriptId: '1',
      url,
      lineNumber: Number(row) - 1,
      columnNumber: Number(column) - 1,
    })
  }
  return { name: symbol, where: '', owner: ownerOf(file) }
}

function ownerOf(file: string): string {
  if (file.startsWith('[kernel') || file.endsWith('.ko')) return 'kernel'
  if (/\/uws(?:_[^/]*)?\.node$/.test(file)) return 'uWebSockets.js'
  if (file.endsWith('.node')) return 'native addons'
  if (/\/perf-\d+\.map$/.test(file)) return 'compiled code without a name'
  if (file === process.execPath || file.endsWith('/node')) {
    return 'Node and V8'
  }
  return file === '[vdso]' ? 'kernel' : 'C libraries'
}

/** perf's lines `VALUE;UNIT;EVENT;…`. */
export function countersPart(text: string, requests: number): Part {
  const found = text.split('\n').flatMap((line) => {
    const [value = '', unit = '', event = ''] = line.split(';')
    return event === '' ? [] : [{ value, unit, event: event.replace(/:u$/, '') }]
  })
  const here = found.filter(({ value }) => Number.isFinite(Number(value)))
  const hidden = found.filter(({ value }) => !Number.isFinite(Number(value)))
  const rows = here.map(({ value, unit, event }) => [
    count(Number(value)),
    (Number(value) / requests).toPrecision(3),
    unit === '' ? event : `${event}, ${unit}`,
  ])
  const note = `This machine does not count ${hidden.map(({ event }) => event).join(', ')}: npm run profile -- instructions counts by simulation.`
  return {
    title: 'Counters',
    rows: [['in all', 'a request', 'of'], ...rows],
    ...(hidden.length > 0 && { notes: [note] }),
  }
}
