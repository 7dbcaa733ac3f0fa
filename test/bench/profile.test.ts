import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { missingLoad } from '../../bench/method/load.ts'
import { flameGraph } from '../../bench/profile/flame-graph.ts'
import { asyncParts } from '../../bench/profile/kinds/bubbleprof.ts'
import { findings } from '../../bench/profile/kinds/doctor.ts'
import { countersPart, stacksOf } from '../../bench/profile/kinds/perf.ts'
import { callsIn } from '../../bench/profile/kinds/syscalls.ts'
import { type CallFrame, placeOf } from '../../bench/profile/places.ts'
import type { Vital, Vitals } from '../../bench/profile/probe.ts'
import { reportPage, terminalText } from '../../bench/profile/report.ts'
import { byOwner, hottest, treeOfCpu, treeOfStacks } from '../../bench/profile/tree.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

function frame(functionName: string, file = '', line = 0): CallFrame {
  const url = file === '' ? '' : pathToFileURL(join(ROOT, file)).href
  return {
    functionName,
    scriptId: file === '' ? '0' : '1',
    url,
    lineNumber: line,
    columnNumber: 0,
  }
}

t.test('a CPU profile becomes a tree without idle time and without the probe', async (t) => {
  const root = treeOfCpu(
    {
      nodes: [
        { id: 1, callFrame: frame('(root)'), children: [2, 3, 4, 6] },
        { id: 2, callFrame: frame('(idle)') },
        { id: 3, callFrame: frame('(garbage collector)') },
        { id: 4, callFrame: frame('view', 'bench/app/views/x.ts', 3), children: [5] },
        { id: 5, callFrame: frame('view', 'bench/app/views/x.ts', 3) },
        { id: 6, callFrame: frame('answer', 'bench/profile/probe.mjs', 9), children: [7] },
        { id: 7, callFrame: frame('dispatch') },
      ],
      samples: [2, 3, 4, 5, 5, 7, 2],
      timeDeltas: [1000, 10, 20, 30, 40, 500, 1000],
    },
    150,
  )
  t.equal(root.total, 150)
  const [first, second, third] = hottest(root)
  t.match(first, { name: 'view', where: 'bench/app/views/x.ts:4', own: 90, total: 90 })
  t.match(
    second,
    { name: 'engine, before and after JavaScript', own: 50 },
    'what only the books know',
  )
  t.match(third, { name: 'garbage collector', own: 10 })
  t.same(byOwner(root), [
    ['the site', 90],
    ['native code and kernel', 50],
    ['garbage collector', 10],
  ])
})

t.test('a compiled function is shown where its source stands', async (t) => {
  const dir = t.testdir({
    // Line 1 of the output comes from line 42 of the source.
    'x.js': 'run()\n',
    'x.js.map': '{"version":3,"file":"x.js","sources":["../x.ts"],"names":[],"mappings":"AAyCA"}',
  })
  const url = pathToFileURL(join(dir, 'x.js')).href
  const place = placeOf({ functionName: 'run', scriptId: '1', url, lineNumber: 0, columnNumber: 0 })
  t.match(place.where, /\/x\.ts:42$/)
  t.equal(placeOf({ ...frame('f'), scriptId: '7', lineNumber: 4 }).where, 'code made at run time:5')
  t.equal(placeOf(frame('q', 'node_modules/@scope/name/i.js')).owner, '@scope/name')
  t.equal(placeOf(frame('q', 'node_modules/uws-20-51/uws.js')).owner, 'uWebSockets.js')
  t.equal(placeOf({ ...frame('tick'), url: 'node:internal/x' }).owner, 'Node')
})

const PERF_SCRIPT = `	ffffffff81 tcp_sendmsg ([kernel.kallsyms])
	     7f01 JS:*#handle file://${ROOT}none/native-lane.js:131:10 (/tmp/perf-42.map)
	     7f03 JS:*u10 :5418:13 (/tmp/perf-42.map)
	     7f02 uWS::HttpContext::on_data(us_socket*) (/x/uws_linux_x64_115.node)
	     7f04 us_socket_write (/x/@uwsjs/linux-x64-20/uws.node)

	ffffffff81 tcp_sendmsg ([kernel.kallsyms])
`

t.test(
  'stacks of perf name JavaScript by its source and everything else by its owner',
  async (t) => {
    const stacks = stacksOf(PERF_SCRIPT)
    t.same(
      stacks.map((stack) => stack.map(({ name }) => name)),
      [
        [
          'us_socket_write',
          'uWS::HttpContext::on_data(us_socket*)',
          'u10',
          '#handle',
          'tcp_sendmsg',
        ],
        ['tcp_sendmsg'],
      ],
    )
    t.equal(stacks[0]?.[2]?.where, 'code made at run time:5418')
    t.equal(stacks[0]?.[3]?.where, 'none/native-lane.js:131')
    t.same(byOwner(treeOfStacks(stacks, 2)), [
      ['kernel', 4],
      ['uWebSockets.js', 0],
      ['uwas', 0],
      ['the site', 0],
    ])
  },
)

t.test(
  'counters that the machine hides are named, and the others are told a request',
  async (t) => {
    const text = '<not supported>;;instructions:u;0;100.00\n1200.5;msec;task-clock;1;100.00\n'
    const { rows, notes } = countersPart(text, 100)
    t.same(rows?.slice(1), [['1,201', '12.0', 'task-clock, msec']])
    t.match(notes?.[0], 'This machine does not count instructions')
  },
)

t.test('the table of strace is read, with its failed calls and without its sum', async (t) => {
  const text = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 61.28    0.031121           2     13626           sendto
  1.20    0.000610           1       451       194 epoll_ctl
------ ----------- ----------- --------- --------- ----------------
100.00    0.050784           1     14077       194 total
`
  t.same(callsIn(text), [
    { name: 'sendto', calls: 13626, errors: 0 },
    { name: 'epoll_ctl', calls: 451, errors: 194 },
  ])
})

function vitals(vital: Partial<Vital>, garbageMs = 0): Vitals {
  const one = { atMs: 0, cpu: 1, loop: 0.7, delayMs: 2, heapMib: 20, handles: 3, ...vital }
  return {
    ms: 1000,
    samples: [one, one, one],
    garbage: { times: 1, ms: garbageMs, longestMs: garbageMs },
  }
}

t.test('the doctor says what to look at next', async (t) => {
  t.same(findings(vitals({})), ['Nothing stands out.'])
  t.match(findings(vitals({ loop: 0.99 })), [/never free.*"cpu"/])
  t.match(findings(vitals({ loop: 0.1 })), [/waits.*"bubbleprof"/])
  t.match(findings(vitals({}, 200)), [/Garbage takes 20\.0 %.*"heap"/])
  t.match(findings(vitals({ delayMs: 51 })), [/In 3 of 3 tenths of a second .* 50 ms late/])
})

t.test('waits are told by who made them, the longest first', async (t) => {
  const group = { type: 'PROMISE', times: 10, ran: 10, longestMs: 3 }
  const place = `query file://${ROOT}src/model/query.ts:64:5`
  const [byPlace, byKind] = asyncParts(
    [
      { ...group, place: ' ', waitedMs: 1 },
      { ...group, place, waitedMs: 20 },
    ],
    10,
  )
  t.same(byPlace?.rows?.slice(1), [
    ['2,000.0', '1.00', '3.00', 'PROMISE  query  src/model/query.ts:64'],
    ['100.0', '1.00', '3.00', 'PROMISE  by Node or an add-on'],
  ])
  t.same(byKind?.rows?.slice(1), [['2,100.0', '2.00', 'PROMISE']])
})

t.test('a page of a profile needs nothing from elsewhere, and names are text in it', async (t) => {
  const stack = (name: string) => [{ name, where: 'x.ts:1', owner: 'uwas' }]
  const root = treeOfStacks([stack('<b>&'), ...Array(2000).fill(stack('wide'))], 1)
  const chart = flameGraph(root, (amount) => `${amount} µs`)
  t.match(chart, 'title="wide\nx.ts:1\n2000 µs, of it by itself 2000 µs"')
  t.notMatch(chart, '&lt;b&gt;', 'narrower than a thousandth: nobody could see it')
  const report = { title: 'cpu of <b>', head: '5 s', parts: [{ title: 'Flame', chart }] }
  const page = reportPage(report)
  t.notMatch(page, /\b(src|href)=|@import|url\(/)
  t.match(page, '<h1>cpu of &lt;b&gt;</h1>')
  t.match(
    terminalText({
      ...report,
      parts: [
        {
          title: 'Hot',
          rows: [
            ['part', 'what'],
            ['9 %', 'f  x.ts:1'],
          ],
          notes: ['Look there.'],
        },
      ],
    }),
    'cpu of <b>: 5 s\n\nHot\n  part  what\n   9 %  f  x.ts:1\nLook there.',
  )
})

const SITE = {
  'uwas.config.ts': `import { defineConfig, path, text, urlconf } from 'uwas'
function findPrimesSlowly(): number {
  const until = process.hrtime.bigint() + 2_000_000n
  let count = 0
  while (process.hrtime.bigint() < until) for (let i = 2; i < 2000; i++) if (97 % i === 0) count++
  return count
}
const urls = urlconf(path('/hot', () => text(String(findPrimesSlowly()))))
export const config = defineConfig({ urls })
`,
}

async function profile(...args: string[]) {
  try {
    const command = ['--prefix', 'bench', 'run', '--silent', 'profile', '--', ...args]
    return { code: 0, ...(await promisify(execFile)('npm', command, { cwd: ROOT })) }
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string }
  }
}

t.test(
  'one command finds the hot function of a site, and leaves a page and a profile',
  { skip: missingLoad() ?? (availableParallelism() < 2 && 'it takes two cores') },
  async (t) => {
    const config = join(t.testdir(SITE), 'uwas.config.ts')
    const options = ['--config', config, '--path', '/hot', '--seconds', '1']
    const { code, stdout, stderr } = await profile('cpu', ...options)
    t.equal(code, 0, stderr)
    const [hottestLine] = /Hottest functions\n.*\n(.*)\n/.exec(stdout)?.slice(1) ?? []
    t.match(hottestLine, /findPrimesSlowly {2}\S*uwas\.config\.ts:2$/)
    const [page = '', data = ''] = stdout.match(/^\/.*$/gm) ?? []
    t.teardown(() => {
      for (const file of [page, data]) rmSync(file, { force: true })
    })
    t.match(readFileSync(page, 'utf8'), /<button class="site"[^>]*title="findPrimesSlowly/)
    t.ok(JSON.parse(readFileSync(data, 'utf8')).nodes.length > 0)
  },
)

t.test('what cannot be profiled is refused, with what could be', async (t) => {
  const cases = [
    [[], /which profile\? npm run profile -- KIND[\s\S]*flame[\s\S]*instructions/],
    [['flames'], /there is no profile flames\./],
    [['cpu', '--scenario', 'none'], /there is no scenario none; --list shows all/],
    [['cpu', '--scenario', 'json', '--config', 'x'], /--scenario and --config exclude each other/],
    [['cpu', '--config', '/none.ts'], /there is no \/none\.ts/],
    [['cpu', '--path', 'posts'], /--path is posts; it has to start with a slash/],
    [['cpu', '--seconds', '0'], /--seconds is 0; it has to be a whole number from 1 to 1000/],
  ] as const
  for (const [args, message] of cases) {
    const { code, stderr } = await profile(...args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, message)
  }
})
