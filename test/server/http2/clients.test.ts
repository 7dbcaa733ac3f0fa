/** HTTP/2 with clients of others: curl, and h2load of nghttp2. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { text } from '../../../src/http/reply.ts'
import { SECURITY_HEADERS } from '../../../src/http/security-headers.ts'
import { serve } from '../../support/application.ts'
import { catalogueOf, temporaryFolder, writeTree } from '../../support/catalogue.ts'
import { authorityOf } from '../../support/certificates.ts'
import { missing } from '../../support/programs.ts'
import { tlsOf } from '../../support/tls.ts'

const authority = authorityOf(t)
const own = authority.issue('own', ['localhost'])
const run = promisify(execFile)

async function site(t: Parameters<typeof serve>[0]) {
  const files = { 'a.css': 'p { color: red }', 'b.bin': Buffer.alloc(300_000, 7) }
  const dir = await writeTree(temporaryFolder(t), files)
  const { catalogue } = await catalogueOf(t, dir, { baseHeaders: SECURITY_HEADERS })
  const view = () => text('from a view')
  const { tlsPort } = await serve(t, view, { catalogue, tls: await tlsOf([own]) })
  return `https://localhost:${tlsPort}`
}

t.test('curl gets files and views by HTTP/2', { skip: missing('curl', 'curl') }, async (t) => {
  const origin = await site(t)
  // The file of the root alone: curl checks the chain and the name.
  const trust = ['--cacert', `${authority.dir}/root.pem`]
  const curl = async (path: string, ...more: string[]) => {
    const told = ['-w', ' %{http_version} %{http_code}']
    const { stdout } = await run('curl', [
      '-sS',
      '--http2',
      ...trust,
      ...told,
      ...more,
      origin + path,
    ])
    return stdout
  }
  t.equal(await curl('/a.css'), 'p { color: red } 2 200')
  t.equal(await curl('/view'), 'from a view 2 200')
  t.equal(await curl('/view', '--http1.1'), 'from a view 1.1 200')
  t.equal(await curl('/view', '--data-binary', `@${own.certFile}`), 'from a view 2 200')
  t.equal(await curl('/b.bin', '-o', '/dev/null'), ' 2 200')
})

t.test(
  'h2load: thousands of requests over few connections, none fails',
  { skip: missing('h2load', 'nghttp2-client') },
  async (t) => {
    const origin = await site(t)
    const urls = ['/a.css', '/view', '/b.bin'].map((path) => origin + path)
    const { stdout } = await run('h2load', ['-n', '3000', '-c', '5', '-m', '50', ...urls])
    t.match(stdout, '3000 succeeded, 0 failed, 0 errored, 0 timeout')
    t.match(stdout, 'Application protocol: h2')
  },
)
