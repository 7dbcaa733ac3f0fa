import { join } from 'node:path'
import t from 'tap'
import { isRemote, isRemoteType } from '../../src/files/remote.ts'
import { temporaryFolder } from '../support/catalogue.ts'

t.test('network file systems are told from local ones, signed numbers too', async (t) => {
  const [nfs, cifs, ext4, tmpfs] = [0x6969, 0xff534d42, 0xef53, 0x01021994]
  for (const type of [nfs, cifs, cifs | 0]) t.ok(isRemoteType(type), type.toString(16))
  for (const type of [ext4, tmpfs]) t.notOk(isRemoteType(type), type.toString(16))
})

t.test('what cannot be looked at counts as local', async (t) => {
  t.equal(await isRemote(join(temporaryFolder(t), 'missing')), false)
})
