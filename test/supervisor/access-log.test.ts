/** The access log of several workers, and of one process: one file for all, which may be renamed at any time. */
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { ask, childrenOf, eventually, superviseSite } from '../support/supervised.ts'

const linesOf = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []

for (const workers of [0, 2]) {
  t.test(
    `after SIGUSR1 lines go to a new file, and none is lost (workers: ${workers})`,
    async (t) => {
      const format = `'$worker $pid $request $status'`
      const server = await superviseSite(
        t,
        `workers: ${workers}, accessLog: { file: 'access.log', format: ${format} }`,
      )
      const file = join(server.root, 'access.log')
      const seen = new Set<string>()
      let asked = 0
      const askOne = async (): Promise<void> => {
        seen.add(String(await ask(server.url)))
        asked++
      }
      await eventually('all workers have answered', async () => {
        await askOne()
        return seen.size === Math.max(1, workers)
      })
      await eventually('all lines are there', () => linesOf(file).length === asked)
      renameSync(file, `${file}.1`)
      server.child.kill('SIGUSR1')
      await eventually('a new file', () => existsSync(file))
      const before = asked
      for (let i = 0; i < 20; i++) await askOne()
      await eventually('the lines of both files are all', () => {
        return linesOf(file).length + linesOf(`${file}.1`).length === before + 20
      })
      const all = [...linesOf(`${file}.1`), ...linesOf(file)]
      t.equal(all.filter((line) => !/^[012] \d+ GET \/ HTTP\/1\.1 200$/.test(line)).length, 0)
      t.strictSame(new Set(all.map((line) => line.split(' ')[1])), seen, 'each by who has answered')
      t.ok(linesOf(file).length > 0)
      t.notMatch(server.stderr(), /Debugger listening/)
      server.child.kill('SIGTERM')
      t.equal((await server.finished).code, 0)
    },
  )
}

t.test('what was answered just before the end is written', async (t) => {
  const server = await superviseSite(
    t,
    `workers: 1, accessLog: { file: 'access.log', format: '$status' }`,
  )
  for (let i = 0; i < 10; i++) await ask(server.url)
  server.child.kill('SIGTERM')
  await server.finished
  t.equal(readFileSync(join(server.root, 'access.log'), 'utf8'), '200\n'.repeat(10))
})

t.test('a file that one worker fills is renamed by another one that writes nothing', async (t) => {
  const server = await superviseSite(
    t,
    "workers: 2, accessLog: { file: 'access.log', format: '$worker', maxFileBytes: 400, keepFiles: 1000 }",
  )
  const second = await eventually('both run', () => childrenOf(server.child.pid ?? 0)[1])
  let asked = 0
  const agent = await eventually('the second one has a connection', async () => {
    const made = new Agent({ keepAlive: true, maxSockets: 1 })
    t.teardown(() => made.destroy())
    asked++
    return (await askBy(made, server.url)) === second && made
  })
  const old = (): string[] =>
    readdirSync(server.root).filter((name) => name.startsWith('access.log.'))
  await eventually('it is renamed, and again', async () => {
    for (let i = 0; i < 50; i++) await askBy(agent, server.url)
    asked += 50
    return old().length > 1
  })
  const all = () => [...old(), 'access.log'].flatMap((name) => linesOf(join(server.root, name)))
  await eventually('no line is lost', () => all().length === asked)
  t.ok(all().filter((line) => line === '2').length >= 100)
})

/** By a connection that is kept; the pid that has answered. */
function askBy(agent: Agent, url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk
      })
      response.once('end', () => resolve(Number(body)))
    }).once('error', reject)
  })
}
