/** The units in deploy/, as systemd reads them. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ROOT } from '../support/sources.ts'

const skip =
  spawnSync('systemd-analyze', ['--version']).status !== 0 && 'systemd-analyze is not there'

t.test('systemd finds nothing wrong with the units', { skip }, async (t) => {
  const read = (name: string) =>
    readFileSync(join(ROOT, 'deploy', name), 'utf8').replaceAll(
      '/srv/site/node_modules/.bin/uwas',
      '/bin/true',
    )
  const dir = t.testdir({
    'uwas.service': read('uwas.service').replaceAll('/srv/site', '/'),
    'uwas.socket': read('uwas.socket'),
  })
  const files = ['uwas.service', 'uwas.socket'].map((name) => join(dir, name))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', ...files], {
    encoding: 'utf8',
  })
  t.match(read('uwas.service'), /\[Unit\][^[]*^StartLimitIntervalSec=0$/m, 'it never gives up')
  t.match(read('uwas.service'), /\[Service\][^[]*^RestartSec=\d+$/m)
  t.equal(status, 0, stderr)
  t.notMatch(stderr, /uwas\.(service|socket)/)
})
