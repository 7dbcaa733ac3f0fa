import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { readLine } from '../../src/commands/secret.ts'
import { createDatabase } from '../../src/model/database.ts'
import { createPasswords } from '../../src/was/accounts/passwords.ts'
import { run } from '../support/binary.ts'
import { temporaryFolder, writeTree } from '../support/catalogue.ts'
import { keepLog, runSql, testDatabaseUrl } from '../support/postgres.ts'

const CONFIG = `export const config = {
  sessions: {}, secrets: ['${'s'.repeat(32)}'], accounts: { groups: { editors: ['posts.hide'] } },
}`

t.test('an account is made from the command line, its password from standard input', async (t) => {
  const url = await testDatabaseUrl()
  const root = await writeTree(temporaryFolder(t), {
    'uwas.config.ts': CONFIG,
    'good.txt': 'two lamps and a kettle\nnot this\n',
    'bad.txt': 'password1',
  })
  const create = (from: string, ...args: string[]) =>
    run(['createuser', ...args], {
      cwd: root,
      env: { DATABASE_URL: url },
      stdin: openSync(join(root, from), 'r'),
    })
  const made = await create('good.txt', 'Mara', '--group', 'editors')
  t.equal(made.code, 0, made.stderr)
  t.match(made.stderr, /made the user Mara in editors/)
  t.notMatch(made.stderr + made.stdout, /kettle/)
  const db = createDatabase({ url, log: keepLog() })
  t.teardown(() => db.close())
  const [row] = await runSql(
    db,
    'select name, password, group_name from uwas.users join uwas.memberships on user_id = id',
  )
  t.strictSame([row?.[0], row?.[2]], ['Mara', 'editors'])
  t.equal(await createPasswords().verify('two lamps and a kettle', row?.[1]), true)
  for (const [args, from, message] of [
    [['MARA'], 'good.txt', /the user cannot be made: the name is taken, or looks like one that is/],
    [['theo'], 'bad.txt', /the password is one of those that everybody tries first/],
    [['two words'], 'good.txt', /the name can have letters and digits/],
    [
      ['theo', '--group', 'editor'],
      'good.txt',
      /there is no group "editor".*did you mean "editors"/,
    ],
  ] as const) {
    const refused = await create(from, ...args)
    t.not(refused.code, 0)
    t.match(refused.stderr, message)
  }
  t.strictSame(await runSql(db, 'select count(*) from uwas.users'), [['1']], 'nothing is left')
  t.match(readFileSync(join(root, 'bad.txt'), 'utf8'), /password1/)
})

// UWAS_ERR_COMMANDS_USER is told by its message: the binary prints no codes.
t.test('a site without accounts says which key it needs', async (t) => {
  const root = await writeTree(temporaryFolder(t), { 'uwas.config.ts': 'export const config = {}' })
  const { code, stderr } = await run(['createuser', 'mara'], { cwd: root })
  t.not(code, 0)
  t.match(stderr, /the user cannot be made: uwas.config.ts has no accounts: add the key "accounts"/)
})

t.test('a line is read to its end, whatever the pieces', async (t) => {
  const read = (...pieces: (string | Uint8Array)[]) => readLine(Readable.from(pieces))
  const [first, second] = [Buffer.from('한').subarray(0, 1), Buffer.from('한').subarray(1)]
  t.equal(await read('two ', 'lamps\r\n', 'more'), 'two lamps')
  t.equal(await read(first, second, '\n'), '한')
  t.equal(await read(), '')
})
