/** The access log of several workers, and of one process: one file for all, which may be renamed at any time. */
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ask, eventually, superviseSite } from '../support/supervised.ts'

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
