import { createRequire } from 'node:module'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findEngine, loadEngine } from '../../src/server/engine.ts'
import { folder } from '../support/binary.ts'

const binary = `@uwsjs/${process.platform}-${process.arch}-${process.versions.node.split('.')[0]}`
const build = (at: string, version: string) => ({
  [`${at}/package.json`]: JSON.stringify({ version, main: 'uws.js' }),
  [`${at}/uws.js`]: `module.exports = { version: '${version}', _cfg(setting) { this.setting = setting } }`,
})
const platform = (at: string, version: string) => ({
  [`${at}/${binary}/package.json`]: JSON.stringify({ version }),
})

/** A folder with stand-ins of the builds: platforms that cannot be had here. */
function requireIn(t: Test, files: Record<string, string>): NodeJS.Require {
  return createRequire(join(folder(t, files), 'index.js'))
}

const NEWER = 'node_modules/uws-20-69'
const OLDER = 'node_modules/uws-20-51'

t.test('the engine of this machine loads, and its mark is off', async (t) => {
  const { uws, version } = loadEngine()
  t.match(version, /^20\.(69\.0|51\.4)$/)
  t.type(uws.App, 'function')
  t.equal(loadEngine().uws, uws, 'once a process')
})

t.test('the newer build is taken where its own binary is there', async (t) => {
  const require = requireIn(t, {
    ...build(NEWER, '20.69.0'),
    ...platform(`${NEWER}/node_modules`, '20.69.0'),
    ...build(OLDER, '20.51.4'),
    ...platform('node_modules', '20.51.4'),
  })
  t.match(findEngine(require), { version: '20.69.0', uws: { setting: 'silent' } })
})

t.test('the newer JavaScript never runs on the older binary', async (t) => {
  const require = requireIn(t, {
    ...build(NEWER, '20.69.0'),
    ...build(OLDER, '20.51.4'),
    ...platform('node_modules', '20.51.4'),
  })
  t.match(findEngine(require), { version: '20.51.4', uws: { version: '20.51.4' } })
})

t.test('a platform without a build is told what it is and what would work', async (t) => {
  const require = requireIn(t, build(OLDER, '20.51.4'))
  t.throws(() => findEngine(require), {
    code: 'UWAS_ERR_SERVER_NO_ENGINE',
    message: new RegExp(
      [
        `^no build of uWebSockets.js loads on this machine \\(${process.platform} ${process.arch}, Node ${process.versions.node}.*\\)\\. `,
        'What would work: Node 22, 24 or 26 with glibc 2\\.38 or newer; or Node 18, 20, 22 or 23 with glibc 2\\.27 or newer\\. ',
        "What was tried:\\n  20\\.69\\.0: Cannot find module 'uws-20-69'\\n  20\\.51\\.4: Cannot find module '.*/package\\.json'$",
      ].join(''),
    ),
  })
})
