import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createPasswords } from '../../src/was/accounts/passwords.ts'
import { type Finished, folder, run } from '../support/binary.ts'

function hash(t: Test, line: string): Promise<Finished> {
  const file = join(folder(t, {}), 'line')
  writeFileSync(file, line)
  return run(['hashpassword'], { stdin: openSync(file, 'r') })
}

t.test('a password from standard input becomes a hash that checks it', async (t) => {
  const { code, stdout, stderr } = await hash(
    t,
    'seven red bicycles\nand what follows is nothing\n',
  )
  t.equal(code, 0, stderr)
  t.match(stdout, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$\S+\n$/)
  t.equal(await createPasswords().verify('seven red bicycles', stdout.trim()), true)
})

// UWAS_ERR_COMMANDS_PASSWORD is told by its message: the binary prints no codes.
t.test('a password that everybody tries first is refused', async (t) => {
  const { code, stderr } = await hash(t, 'password1\n')
  t.equal(code, 2)
  t.match(stderr, 'the password cannot be hashed: it is one of those that everybody tries first')
})
