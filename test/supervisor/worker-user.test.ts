import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { workerUser } from '../../src/supervisor/worker-user.ts'
import { folder, put } from '../support/binary.ts'

// Only root may ask; the programs that are asked are the test's own.
t.intercept(process, 'getuid', { value: () => 0 })

/** Each name of `programs` is a shell script in the only folder of PATH. */
function system(t: Test, programs: Record<string, string>, passwd = ''): string {
  const dir = folder(t, { passwd })
  for (const [name, text] of Object.entries({ id: 'echo 970', ...programs })) {
    put(dir, `bin/${name}`, `#!/bin/sh\n${text}\n`)
    chmodSync(join(dir, 'bin', name), 0o755)
  }
  const { PATH } = process.env
  process.env['PATH'] = join(dir, 'bin')
  t.teardown(() => {
    process.env['PATH'] = PATH
  })
  return join(dir, 'passwd')
}

const environment = (USER: string, HOME: string, SHELL = '/bin/sh') => ({
  uid: 970,
  gid: 970,
  env: { USER, LOGNAME: USER, HOME, SHELL },
})

const TWO_NAMES = `root:x:0:0:root:/root:/bin/bash
first:x:970:970::/home/first:/bin/first
second:x:970:970::/home/second:/bin/second
bare:x:970:970:::
`

t.test('a system without getent has its users in a file', async (t) => {
  const file = system(t, {}, TWO_NAMES)
  t.match(workerUser('second', file), environment('second', '/home/second', '/bin/second'))
  t.match(workerUser('first', file), environment('first', '/home/first', '/bin/first'))
  t.match(workerUser('970', file), environment('first', '/home/first', '/bin/first'))
  t.match(workerUser('bare', file), environment('bare', '/'), 'no field is empty')
  t.match(workerUser('second', join(file, 'none')), environment('second', '/'), 'nothing is known')
})

t.test('the system is asked for the name, and then for the number', async (t) => {
  const line = (name: string) => `${name}:x:970:970::/srv/${name}:/bin/${name}`
  const getent = `case "$*" in
'passwd second') echo '${line('second')}' ;;
'passwd bare') echo 'bare:x:970:970:::' ;;
'passwd 7') echo 'seven:x:7:7::/srv/seven:/bin/seven' ;;
'passwd 970') echo '${line('first')}' ;;
*) exit 2 ;;
esac`
  const file = system(t, { getent })
  t.match(workerUser('second', file), environment('second', '/srv/second', '/bin/second'))
  t.match(workerUser('bare', file), environment('bare', '/'))
  // A directory may spell it otherwise.
  t.match(workerUser('FIRST', file), environment('first', '/srv/first', '/bin/first'))
  // Of a name that is a number getent tells whose number it is.
  t.match(workerUser('7', file), environment('first', '/srv/first', '/bin/first'))
})

t.test('a user that id does not know is none', async (t) => {
  const file = system(t, { id: 'echo no such user >&2; exit 1' }, TWO_NAMES)
  t.throws(() => workerUser('second', file), {
    code: 'UWAS_ERR_SUPERVISOR_USER',
    message: /the user second: no such user/,
  })
})
