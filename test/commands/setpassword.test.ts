import { openSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createDatabase } from '../../src/model/database.ts'
import { createPasswords } from '../../src/was/accounts/passwords.ts'
import { run } from '../support/binary.ts'
import { temporaryFolder, writeTree } from '../support/catalogue.ts'
import { keepLog, runSql, testDatabaseUrl } from '../support/postgres.ts'

const CONFIG = `export const config = {
  sessions: {}, secrets: ['${'s'.repeat(32)}'], accounts: {},
}`

t.test('a forgotten password is replaced from the command line', async (t) => {
  const url = await testDatabaseUrl()
  const root = await writeTree(temporaryFolder(t), {
    'uwas.config.ts': CONFIG,
    'first.txt': 'two lamps and a kettle\n',
    'second.txt': 'three lamps and a pan\nnot this\n',
    'bad.txt': 'password1',
  })
  const uwas = (from: string, ...args: string[]) =>
    run(args, {
      cwd: root,
      env: { DATABASE_URL: url },
      stdin: openSync(join(root, from), 'r'),
    })
  t.equal((await uwas('first.txt', 'createuser', 'Mara')).code, 0)
  const set = await uwas('second.txt', 'setpassword', 'MARA')
  t.equal(set.code, 0, set.stderr)
  t.match(set.stderr, /set another password for Mara, whose sessions have ended/)
  t.notMatch(set.stderr + set.stdout, /lamps/)
  const db = createDatabase({ url, log: keepLog() })
  t.teardown(() => db.close())
  const row = async () => (await runSql(db, 'select password, epoch from uwas.users'))[0]
  const [password, epoch] = (await row()) ?? []
  t.equal(await createPasswords().verify('three lamps and a pan', password), true)
  t.equal(epoch, '2', 'sessions of the epoch before are worth nothing')
  for (const [name, from, message] of [
    ['theo', 'second.txt', /the password cannot be set: there is no user "theo"/],
    ['no name', 'second.txt', /there is no user "no name"; uwas createuser makes one/],
    ['mara', 'bad.txt', /the password is one of those that everybody tries first/],
  ] as const) {
    const refused = await uwas(from, 'setpassword', name)
    t.not(refused.code, 0)
    t.match(refused.stderr, message)
  }
  t.strictSame(await row(), [password, epoch], 'nothing has changed')
  await runSql(db, 'update uwas.users set is_active = false')
  t.match((await uwas('first.txt', 'setpassword', 'mara')).stderr, /the user is still blocked/)
})

// UWAS_ERR_COMMANDS_SET_PASSWORD is told by its message: the binary prints no codes.
t.test('a site without accounts says which key it needs', async (t) => {
  const root = await writeTree(temporaryFolder(t), { 'uwas.config.ts': 'export const config = {}' })
  const { code, stderr } = await run(['setpassword', 'mara'], { cwd: root })
  t.not(code, 0)
  t.match(stderr, /the password cannot be set: uwas.config.ts has no accounts: add the key "accou/)
})
