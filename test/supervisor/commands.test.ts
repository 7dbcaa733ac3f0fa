import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { folder, put, run, serve } from '../support/binary.ts'
import {
  answering,
  ask,
  childrenOf,
  configuration,
  eventually,
  runs,
  superviseSite,
} from '../support/supervised.ts'

t.test('uwas status tells of the server and each of its workers', async (t) => {
  const { child, root, url, port } = await superviseSite(t, 'workers: 2')
  const pids = [...(await answering(url, 2))]
  const { code, stdout } = await run(['status', '--json'], { cwd: root })
  t.equal(code, 0)
  const status = JSON.parse(stdout)
  t.match(status, { pid: child.pid, port, reloads: 0, workers: [{ worker: 1 }, { worker: 2 }] })
  t.strictSame(status.workers.map(({ pid }: { pid: number }) => pid).sort(), pids.sort())
  for (const worker of status.workers) {
    t.match(worker, { state: 'ready', crashes: 0 })
  }
  const table = await run(['status'], { cwd: root })
  t.match(
    table.stdout,
    /^uwas \S+ serves \. on \S+:\d+ \(pid \d+, for \d+ s, 0 reloads\)\nWORKER +PID/,
  )
})

t.test('uwas reload returns when new workers serve, and says why when they cannot', async (t) => {
  const { root, url, child } = await superviseSite(t, 'workers: 1')
  const before = await ask(url)
  const done = await run(['reload'], { cwd: root })
  t.equal(done.code, 0, done.stderr)
  const now = childrenOf(child.pid ?? 0).filter((pid) => pid !== before)
  t.match(done.stdout, `reloaded: workers ${now[0]}\n`)
  put(root, 'uwas.config.ts', configuration("templates: 'nowhere'"))
  const failed = await run(['reload'], { cwd: root })
  t.equal(failed.code, 2)
  t.match(
    failed.stderr,
    /the running server did not reload: what served before goes on: .*UWAS_ERR_TEMPLATE_DIRECTORY.*UWAS_ERR_SUPERVISOR_REFUSED/s,
  )
  t.equal(await ask(url), now[0])
})

t.test(
  'uwas stop returns when all has ended, though the site does not load any more',
  async (t) => {
    const { root, url, child, finished } = await superviseSite(t, 'workers: 2')
    await answering(url, 2)
    const pids = childrenOf(child.pid ?? 0)
    put(root, 'uwas.config.ts', 'export const config = {')
    const { code, stdout } = await run(['stop'], { cwd: root })
    t.equal(code, 0)
    t.equal(stdout, `stopped (pid ${child.pid})\n`)
    t.notOk(pids.some(runs))
    t.equal((await finished).code, 0)
    t.notOk(existsSync(join(root, '.uwas/uwas.pid')), 'nothing is left')
    t.notOk(existsSync(join(root, '.uwas/uwas.pid.sock')))
    const again = await run(['stop', '--pid-file', '.uwas/uwas.pid'], { cwd: root })
    t.equal(again.code, 2)
    t.match(
      again.stderr,
      /no running server is found by .*uwas\.pid: there is no such file\. .*UWAS_ERR_SUPERVISOR_UNREACHABLE/,
    )
  },
)

t.test('a folder is served, asked and stopped by its name', async (t) => {
  const root = folder(t, { 'index.html': 'x' })
  const { child, finished } = await serve(t, ['serve', root, '--port', '0'])
  t.match(JSON.parse((await run(['status', root, '--json'])).stdout), { pid: child.pid })
  t.equal((await run(['stop', root])).code, 0)
  t.equal((await finished).code, 0)
})

t.test(
  'a pid file of a process that has ended is no hindrance, that of another server is left alone',
  async (t) => {
    const { root, child, url } = await superviseSite(t, 'workers: 1')
    await ask(url)
    const file = join(root, '.uwas/uwas.pid')
    const written = readFileSync(file, 'utf8')
    t.equal(Number.parseInt(written, 10), child.pid)
    const second = await serve(t, ['serve', '--port', '0'], { cwd: root })
    await second.printed(/uwas\.pid is of another server \(pid \d+\): .*--pid-file/)
    second.child.kill('SIGTERM')
    await second.finished
    t.equal(readFileSync(file, 'utf8'), written)
    child.kill('SIGTERM')
    // The pid lives, but is another process than the one that wrote the file.
    await new Promise((resolve) => child.once('exit', resolve))
    writeFileSync(file, `${process.pid}\n1\n\n`)
    const stale = await run(['stop'], { cwd: root })
    t.match(stale.stderr, 'the process that it names has ended')
    const third = await serve(t, ['serve', '--port', '0'], { cwd: root })
    t.equal(Number.parseInt(readFileSync(file, 'utf8'), 10), third.child.pid)
  },
)

t.test('nonsense on the control socket is answered or cut, and harms nothing', async (t) => {
  const { root, url } = await superviseSite(t, 'workers: 1')
  const say = (text: string): Promise<string> =>
    new Promise((resolve) => {
      let heard = ''
      const socket = connect(join(root, '.uwas/uwas.pid.sock'), () => socket.write(text))
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        heard += chunk
      })
      socket.once('close', () => resolve(heard))
    })
  t.equal(await say('explode\n'), '{"problem":"there is no such question"}')
  t.equal(await say('x'.repeat(100_000)), '{"problem":"there is no such question"}')
  t.ok((await ask(url)) > 0)
})

t.test('a pid file with a path too long for a socket works all the same', async (t) => {
  const root = folder(t, { [`${'long/'.repeat(30)}a`]: '', 'public/a.txt': 'a' })
  const pidFile = join(root, 'long/'.repeat(30), 'uwas.pid')
  const args = ['--pid-file', pidFile]
  const { child } = await serve(t, ['serve', join(root, 'public'), '--port', '0', ...args])
  const { stdout } = await run(['status', '--json', ...args])
  t.equal(JSON.parse(stdout).pid, child.pid)
  t.equal((await run(['stop', ...args])).code, 0)
})

t.test('a file that is no pid file is neither written nor removed', async (t) => {
  const root = folder(t, { 'public/a.txt': 'a', notes: 'precious\n', empty: '' })
  symlinkSync(join(root, 'notes'), join(root, 'link'))
  mkdirSync(join(root, 'dir'))
  const problems = {
    notes: 'its content is not that of uwas',
    link: 'it is not a regular file',
    dir: 'it is not a regular file',
  }
  for (const workers of ['1', '0']) {
    for (const [name, problem] of Object.entries(problems)) {
      const pidFile = join(root, name)
      const args = ['--port', '0', '--workers', workers, '--pid-file', pidFile]
      const { code, stderr } = await run(['serve', join(root, 'public'), ...args])
      t.equal(code, 2)
      const words = `${pidFile} cannot be the pid file: .*${problem}. Name another one with --pid-file`
      t.match(stderr, new RegExp(`${words}.*UWAS_ERR_SUPERVISOR_PID_FILE`))
      const asked = await run(['stop', '--pid-file', pidFile])
      t.match(asked.stderr, /UWAS_ERR_SUPERVISOR_PID_FILE/)
    }
  }
  t.equal(readFileSync(join(root, 'notes'), 'utf8'), 'precious\n')
  const args = ['--port', '0', '--pid-file', join(root, 'empty')]
  const { child } = await serve(t, ['serve', join(root, 'public'), ...args])
  t.equal(Number.parseInt(readFileSync(join(root, 'empty'), 'utf8'), 10), child.pid)
})

t.test(
  'a file where its socket would be stays as it is, as does a socket that is alive',
  async (t) => {
    const root = folder(t, { 'public/a.txt': 'a', 'one.sock': 'precious\n' })
    const alive = createServer((socket) => socket.on('error', () => {}).end('alive'))
    alive.listen(join(root, 'two.sock'))
    t.teardown(() => alive.close())
    await once(alive, 'listening')
    for (const name of ['one', 'two']) {
      const args = ['--port', '0', '--pid-file', join(root, name)]
      const { printed } = await serve(t, ['serve', join(root, 'public'), ...args])
      await printed(
        /"uwas stop" and its like cannot find this server: .*is another file, or somebody listens there/,
      )
    }
    t.equal(readFileSync(join(root, 'one.sock'), 'utf8'), 'precious\n')
    const socket = connect(join(root, 'two.sock'))
    const [heard] = await once(socket, 'data')
    t.equal(String(heard), 'alive')
  },
)

t.test(
  'a socket that a killed supervisor has left is replaced, and is only for its user',
  async (t) => {
    const root = folder(t, { 'public/a.txt': 'a' })
    const args = ['--pid-file', join(root, 'pid')]
    const first = await serve(t, ['serve', join(root, 'public'), '--port', '0', ...args])
    await eventually('it can be found', () => existsSync(join(root, 'pid')))
    first.child.kill('SIGKILL')
    await first.finished
    t.ok(existsSync(join(root, 'pid.sock')))
    const { child } = await serve(t, ['serve', join(root, 'public'), '--port', '0', ...args])
    const { stdout } = await run(['status', '--json', ...args])
    t.equal(JSON.parse(stdout).pid, child.pid)
    t.equal(statSync(join(root, 'pid.sock')).mode & 0o777, 0o600)
  },
)

t.test('a server without workers is stopped by its pid file, and has no reload', async (t) => {
  const root = folder(t, { 'index.html': 'x' })
  const pidFile = join(root, 'here.pid')
  const args = ['--port', '0', '--workers', '0', '--pid-file', pidFile]
  const { child, finished } = await serve(t, ['serve', root, ...args])
  t.equal(Number.parseInt(readFileSync(pidFile, 'utf8'), 10), child.pid)
  for (const question of ['reload', 'status']) {
    const { code, stderr } = await run([question, '--pid-file', pidFile])
    t.equal(code, 2)
    t.match(stderr, `the running server did not ${question}: it serves in one process`)
  }
  t.equal((await run(['stop', '--pid-file', pidFile])).code, 0)
  t.equal((await finished).code, 0)
  t.notOk(existsSync(pidFile))
})
