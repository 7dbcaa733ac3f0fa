/** The server's own words in a file. */
import { chmodSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folder, run, serve } from '../support/binary.ts'
import { eventually } from '../support/supervised.ts'

const SITE = {
  'uwas.config.ts': `import { path, text, urlconf } from 'uwas'
export const config = { urls: urlconf(path('/', () => { throw new Error('broken view') })), workers: 1 }
`,
}
const LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \[\d+\] uwas: /

t.test('lines go to the file, each with its time and process', async (t) => {
  const root = folder(t, SITE)
  const file = join(root, 'error.log')
  const args = ['serve', '--port', '0', '--log-file', 'error.log']
  const { port, stderr, child, finished } = await serve(t, args, { cwd: root })
  await fetch(`http://127.0.0.1:${port}/`)
  await eventually('it is logged', () => readFileSync(file, 'utf8').includes('broken view'))
  t.notMatch(stderr(), /broken view/, 'standard error has what comes before it serves')
  t.equal(statSync(file).mode & 0o777, 0o640)
  t.match(readFileSync(file, 'utf8').split('\n')[0], LINE)
  t.match(readFileSync(file, 'utf8'), /\[\d+\] uwas: serving /)

  renameSync(file, `${file}.1`)
  const response = await fetch(`http://127.0.0.1:${port}/`)
  const id = response.headers.get('x-request-id') ?? 'none'
  await eventually('the new file has the request', () => {
    try {
      return readFileSync(file, 'utf8').includes(id)
    } catch {
      return false
    }
  })

  rmSync(file)
  chmodSync(root, 0o755)
  child.kill('SIGTERM')
  await finished
  t.match(readFileSync(file, 'utf8'), /SIGTERM: finishing what has begun/)
})

t.test('what cannot be written is said on standard error, and nothing is lost', async (t) => {
  const root = folder(t, { ...SITE, 'logs/.keep': '' })
  const args = ['serve', '--port', '0', '--log-file', 'logs/error.log']
  const { port, printed } = await serve(t, args, { cwd: root })
  rmSync(join(root, 'logs'), { recursive: true })
  await fetch(`http://127.0.0.1:${port}/`)
  await printed(/warning: \S+logs\/error\.log cannot be written: ENOENT[\s\S]*broken view/)
})

t.test('a file that cannot be made ends the start', async (t) => {
  const root = folder(t, SITE)
  const { code, stderr } = await run(['serve', '--log-file', 'no/where.log'], { cwd: root })
  t.equal(code, 2)
  t.match(stderr, '--log-file no/where.log cannot be written: ENOENT')
  t.match(stderr, 'UWAS_ERR_COMMANDS_LOG_FILE')
})

t.test('why it does not start is on standard error, too', async (t) => {
  const root = folder(t, { 'uwas.config.ts': 'export const config = { prot: 1 }\n' })
  const { code, stderr } = await run(['serve', '--log-file', 'error.log'], { cwd: root })
  t.equal(code, 2)
  t.match(stderr, /prot/)
  t.match(readFileSync(join(root, 'error.log'), 'utf8'), /prot/)
})

t.test('what is less than the level is not told', async (t) => {
  const root = folder(t, SITE)
  const args = ['serve', '--port', '0', '--log-file', 'error.log', '--log-level', 'error']
  const file = join(root, 'error.log')
  const running = serve(t, args, { cwd: root })
  running.catch(() => undefined)
  const pid = await eventually('it runs', () => {
    try {
      return Number(readFileSync(join(root, '.uwas/uwas.pid'), 'utf8').split('\n')[0])
    } catch {
      return false
    }
  })
  process.kill(pid, 'SIGTERM')
  await running.catch(() => undefined)
  t.equal(readFileSync(file, 'utf8'), '')
  const wrong = await run(['serve', '--log-level', 'loud'], { cwd: root })
  t.match(wrong.stderr, 'info, warning, error')
})
