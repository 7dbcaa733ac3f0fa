import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { loadEnvFile } from '../../src/commands/env-file.ts'
import { folder, put, run, serve } from '../support/binary.ts'

const SITE = {
  'settings.ts': `import { defineSettings, z } from 'uwas'
export const settings = defineSettings(z.object({ STRIPE_KEY: z.string().min(8), WORKERS: z.coerce.number() }))`,
  'uwas.config.ts': `import { json, path, urlconf } from 'uwas'
import { settings } from './settings.ts'
export const config = { database: false, urls: urlconf(
  path('/', () => json([settings.STRIPE_KEY.length, settings.WORKERS + 1, process.env.STRIPE_KEY.length])),
  path('/fails', () => { throw new Error('with ' + JSON.stringify(settings)) }),
) }`,
}

t.test('the environment wins over .env, which is read again and taken back', async (t) => {
  const dir = folder(t, {
    '.env': '\uFEFFA=1\n# words\nexport B="two\\nlines"\nSET=file\nEMPTY=x\n',
  })
  const env: NodeJS.ProcessEnv = { SET: 'real', EMPTY: '' }
  loadEnvFile(dir, env)
  t.strictSame(env, { SET: 'real', EMPTY: '', A: '1', B: 'two\nlines' })
  put(dir, '.env', 'A=3\nC=4\n')
  loadEnvFile(dir, env)
  t.strictSame(env, { SET: 'real', EMPTY: '', A: '3', C: '4' })
  loadEnvFile(folder(t, {}), env)
  t.strictSame(env, { SET: 'real', EMPTY: '' }, 'no file is no mistake')
})

t.test('a .env that cannot be read is told', async (t) => {
  const dir = folder(t, {})
  mkdirSync(join(dir, '.env'))
  t.throws(() => loadEnvFile(dir, {}), {
    code: 'UWAS_ERR_COMMANDS_ENV_FILE',
    message: /\.env cannot be read: EISDIR.*; let this user read it, or take it away$/,
  })
})

t.test('serve and check tell all wrong settings at once, and no value', async (t) => {
  const cwd = folder(t, { ...SITE, '.env': 'STRIPE_KEY=sk_live\n' })
  for (const args of [['serve', '--port', '0'], ['dev', '--port', '0'], ['check']]) {
    const what = args.join(' ')
    const { code, stdout, stderr } = await run(args, { cwd })
    t.equal(code, 2, what)
    t.match(stderr, /- STRIPE_KEY does not fit: .*\n.*- WORKERS is not set\n/, what)
    t.notMatch(stdout + stderr, 'sk_live', what)
  }
})

t.test('a site reads its settings typed, from .env and the environment', async (t) => {
  const cwd = folder(t, { ...SITE, '.env': 'STRIPE_KEY=sk_live_51H\nWORKERS=1\n' })
  const options = { cwd, env: { WORKERS: '8' } }
  const { port, child, finished } = await serve(t, ['serve', '--port', '0'], options)
  t.strictSame(await (await fetch(`http://127.0.0.1:${port}/`)).json(), [11, 9, 11])
  t.equal((await fetch(`http://127.0.0.1:${port}/fails`)).status, 500)
  child.kill('SIGTERM')
  const { stderr } = await finished
  t.match(stderr, 'with {"STRIPE_KEY":"(hidden)"')
  t.notMatch(stderr, 'sk_live')
  const explained = await run(['explain', '/'], options)
  t.match(explained.stdout, 'of route / (uwas.config.ts:4)')
  t.notMatch(explained.stdout + explained.stderr, 'sk_live')
})

t.test('uwas dev follows .env', async (t) => {
  const cwd = folder(t, { ...SITE, '.env': 'STRIPE_KEY=sk_live_51H\nWORKERS=1\n' })
  const { port } = await serve(t, ['dev', '--port', '0'], { cwd })
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/`)).text()
  t.equal(await ask(), '[11,2,11]')
  put(cwd, '.env', 'STRIPE_KEY=sk_live_5\nWORKERS=2\n')
  let last = ''
  for (let i = 0; i < 400 && last !== '[9,3,9]'; i++) {
    last = await ask()
    await sleep(50)
  }
  t.equal(last, '[9,3,9]')
})
