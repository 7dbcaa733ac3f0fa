import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { createLog } from '../../src/core/log.ts'
import { createCatalogue } from '../../src/files/catalogue.ts'
import { text } from '../../src/http/reply.ts'
import { loadNative } from '../../src/native/load.ts'
import { mayOverflow } from '../../src/server/corked.ts'
import { serve } from '../support/application.ts'
import { raw } from '../support/raw.ts'

t.test('replies corked by themselves are those of which a batch may fill the buffer', async (t) => {
  t.equal(mayOverflow(null), false)
  t.equal(mayOverflow('x'.repeat(512)), false)
  t.equal(mayOverflow('x'.repeat(513)), true)
  t.equal(mayOverflow(new Uint8Array(512)), false)
  t.equal(mayOverflow(new Uint8Array(513)), true)
})

t.test(
  'a batch larger than the buffer is answered whole, in order, whatever is in it',
  async (t) => {
    const sizes = [0, 100, 900, 2_000, 15_900, 16_384, 16_385, 40_000, 300_000]
    const contents = sizes.map((size) => randomBytes(size))
    const dir = t.testdir(Object.fromEntries(contents.map((bytes, i) => [`${i}.bin`, bytes])))
    const catalogue = await createCatalogue({
      mounts: [{ dir, prefix: '/' }],
      storeDir: join(t.testdirName, '..', 'objects'),
      native: loadNative(),
      log: createLog(() => {}),
    })
    t.teardown(() => catalogue.close())
    const { port } = await serve(t, (req) => text(req.path.repeat(400)), { catalogue })
    const asked = sizes.flatMap((_, i) => [`/${i}.bin`, `/view${i}`, `/${i}.bin`, '/0.bin'])
    const requests = [...asked, ...asked].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    const { responses } = await raw(port, requests.join(''), { expect: requests.length })
    t.equal(responses.length, requests.length)
    for (const [i, path] of [...asked, ...asked].entries()) {
      const file = /^\/(\d)\.bin$/.exec(path)
      const wanted = file ? contents[Number(file[1])] : Buffer.from(path.repeat(400))
      t.ok(responses[i]?.body.equals(wanted as Buffer), `${i}: ${path}`)
    }
  },
)
