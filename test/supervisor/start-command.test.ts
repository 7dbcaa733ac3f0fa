/** How a process is started anew, and where that is refused. */
import { chmodSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readStart, type StartFacts } from '../../src/supervisor/start-command.ts'
import { processFacts, whyNoUpgrade } from '../../src/supervisor/upgrade-refusal.ts'
import { folder } from '../support/binary.ts'

/** Two releases with a program of their own, and a link to the first. */
function releases(t: Test): string {
  const root = realpathSync(folder(t, { 'one/bin/node': '', 'two/bin/node': '' }))
  for (const name of ['one', 'two']) chmodSync(join(root, name, 'bin/node'), 0o755)
  symlinkSync('one', join(root, 'current'))
  return root
}

function factsOf(root: string, facts: Partial<StartFacts> = {}): StartFacts {
  return {
    execPath: join(root, 'one/bin/node'),
    argv0: 'node',
    execArgv: ['--no-warnings'],
    args: [join(root, 'one/main.js'), 'serve'],
    cwd: join(root, 'one'),
    env: { PWD: join(root, 'current'), PATH: `/nowhere:${root}/current/bin` },
    ...facts,
  }
}

function switchTo(root: string, name: string): void {
  rmSync(join(root, 'current'))
  symlinkSync(name, join(root, 'current'))
}

t.test('program, script and folder are found by the names that they were given', async (t) => {
  const root = releases(t)
  const byPath = readStart(factsOf(root))
  const byName = readStart(factsOf(root, { argv0: join(root, 'current/bin/node') }))
  const nearby = readStart(factsOf(root, { argv0: './bin/node' }))
  switchTo(root, 'two')
  const current = join(root, 'current')
  for (const command of [byPath, byName, nearby]) {
    t.strictSame(command(), {
      file: join(current, 'bin/node'),
      args: ['--no-warnings', join(current, 'main.js'), 'serve'],
      cwd: current,
    })
  }
  rmSync(join(root, 'two/bin/node'))
  t.equal(byPath().file, join(root, 'one/bin/node'), 'without one the same again')
})

t.test('a name that did not lead to the program that runs is not asked', async (t) => {
  const root = releases(t)
  const execPath = process.execPath
  t.equal(readStart(factsOf(root, { execPath }))().file, execPath)
  t.equal(readStart(factsOf(root, { execPath, argv0: 'made up' }))().file, execPath)
})

t.test('PWD that is not this folder, or cannot be looked at, is none', async (t) => {
  const root = releases(t)
  const cwd = join(root, 'one')
  symlinkSync('loop', join(root, 'loop'))
  mkdirSync(join(root, 'shut'), { mode: 0 })
  const odd = [
    undefined,
    '',
    'current',
    '/',
    `${root}/loop`,
    `${root}/one/bin/node/x`,
    `${root}/shut/x`,
  ]
  for (const pwd of [...odd, 'x'.repeat(5000), '/\0']) {
    const command = readStart(
      factsOf(root, { env: { PWD: pwd, PATH: `${root}/loop:${root}/shut` } }),
    )()
    t.strictSame(command, {
      file: join(cwd, 'bin/node'),
      args: ['--no-warnings', join(cwd, 'main.js'), 'serve'],
      cwd,
    })
  }
})

t.test('an upgrade is refused where the end of the process is that of the service', async (t) => {
  const tini = { name: 'tini', session: 1, startedAt: 9_000 }
  const systemd = { ...tini, name: 'systemd' }
  const usual = {
    pid: 700,
    ppid: 600,
    env: {},
    hasGate: true,
    init: tini,
    own: { name: 'node', session: 600, startedAt: 20_000 },
  }
  const service = { INVOCATION_ID: 'x' }
  const orphan = { ...usual, ppid: 1 }
  const under = (session: number, startedAt = 20_000) => ({
    ...orphan,
    own: { name: 'node', session, startedAt },
  })
  t.equal(whyNoUpgrade(usual), null)
  t.equal(whyNoUpgrade(orphan), null, 'its shell has ended')
  t.equal(whyNoUpgrade(under(700)), null, 'setsid has started it')
  t.equal(whyNoUpgrade({ ...under(700, 9_001), init: systemd }), null)
  t.equal(
    whyNoUpgrade({ ...orphan, init: systemd, env: { ...service, NOTIFY_SOCKET: '/x' } }),
    null,
  )
  t.match(whyNoUpgrade({ ...usual, hasGate: false }), 'that needs Linux and the native addon')
  t.match(whyNoUpgrade({ ...orphan, init: systemd, env: service }), 'say Type=notify in the unit')
  const ofContainer = [
    { ...usual, pid: 1, ppid: 0 },
    { ...usual, ppid: 0 },
    under(1),
    under(700, 9_001),
    { ...orphan, init: undefined },
    { ...orphan, own: undefined },
  ]
  for (const one of ofContainer) t.match(whyNoUpgrade(one), 'have another container take its place')
})

t.test(
  'a process is known by its name, session and start',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const { session = 0, startedAt = 0 } = processFacts(process.pid) ?? {}
    t.ok(session > 0)
    t.ok(startedAt > (processFacts(1)?.startedAt ?? 0))
    t.equal(processFacts(4_194_305), undefined)
  },
)
