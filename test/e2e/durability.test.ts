/**
 * The board on its embedded PostgreSQL, killed without warning: the server, the database, both.
 * What was answered with a redirect is there after the next start.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { folder, type RunningBinary, serve } from '../support/binary.ts'

const POSTMASTER = '.uwas/postgres/data/postmaster.pid'
const DEMO = pathToFileURL('src/demo/').href

/** The demo site with a state folder of its own. */
function siteIn(t: Test): string {
  const dir = folder(t, { 'note.txt': 'state of one test' })
  writeFileSync(
    join(dir, 'uwas.config.ts'),
    `import { config as demo } from '${DEMO}uwas.config.ts'
     import { fileURLToPath } from 'node:url'
     const at = (path: string) => fileURLToPath(new URL(path, '${DEMO}'))
     export const config = { ...demo, static: [{ dir: at('../../static'), prefix: '/static' }],
       templates: at('templates'), migrations: at('migrations'), stateDir: '.uwas' }`,
  )
  return dir
}

async function write(port: number, title: string): Promise<Response> {
  const shown = await fetch(`http://127.0.0.1:${port}/write`)
  const page = await shown.text()
  const cookie = shown.headers
    .getSetCookie()
    .map((set) => set.split(';', 1)[0])
    .join('; ')
  const form = new URLSearchParams({ title, author: '시험', body: '사라지지 않는 글' })
  for (const [, name, value] of page.matchAll(
    /<input type="hidden" name="([^"]+)" value="([^"]*)"/g,
  )) {
    form.set(name as string, value as string)
  }
  return fetch(`http://127.0.0.1:${port}/write`, {
    method: 'POST',
    body: form,
    redirect: 'manual',
    headers: { cookie },
  })
}

const list = async (port: number): Promise<{ status: number; page: string }> => {
  const response = await fetch(`http://127.0.0.1:${port}/`)
  return { status: response.status, page: await response.text() }
}

const postgresPid = (dir: string): number =>
  Number(readFileSync(join(dir, POSTMASTER), 'utf8').split('\n')[0])

/** Orphans of a killed server go on answering for a moment: only a new server shows the recovery. */
async function waitForNewServer(dir: string, killed: number): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const pid = existsSync(join(dir, POSTMASTER)) ? postgresPid(dir) : killed
    if (pid !== killed) return
    await sleep(100)
  }
  throw new Error('PostgreSQL was not started again in 30 s')
}

/** Posts until it is taken; what is not taken must be 503. */
async function writeWhenBack(t: Test, port: number, title: string): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const { status } = await write(port, title)
    if (status === 303) return
    t.equal(status, 503, 'meanwhile 503')
    await sleep(100)
  }
  throw new Error('the site did not recover in 30 s')
}

t.test('no post is lost when the server or PostgreSQL is killed', async (t) => {
  const dir = siteIn(t)
  const start = (): Promise<RunningBinary> =>
    serve(t, [
      'serve',
      '--config',
      join(dir, 'uwas.config.ts'),
      '--port',
      '0',
      '--host',
      '127.0.0.1',
    ])

  const first = await start()
  t.equal((await write(first.port, 'before the kill')).status, 303)
  first.child.kill('SIGKILL')
  await first.finished

  const second = await start()
  t.match((await list(second.port)).page, 'before the kill')
  t.equal((await write(second.port, 'after the first kill')).status, 303)
  const killed = postgresPid(dir)
  process.kill(killed, 'SIGKILL')
  await waitForNewServer(dir, killed)
  await writeWhenBack(t, second.port, 'after PostgreSQL')
  t.match((await list(second.port)).page, 'after the first kill')

  process.kill(postgresPid(dir), 'SIGKILL')
  second.child.kill('SIGKILL')
  await second.finished
  const third = await start()
  const { page: last } = await list(third.port)
  for (const title of ['before the kill', 'after the first kill', 'after PostgreSQL'])
    t.match(last, title)
  third.child.kill('SIGTERM')
  t.match(await third.finished, { code: 0 })
})
