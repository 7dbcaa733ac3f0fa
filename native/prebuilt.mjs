/**
 * Prebuilt addons, by node-pre-gyp, for machines without a compiler:
 *   node native/prebuilt.mjs package   packs build/addon into build/stage/…tar.gz (npm run package:native)
 *   node native/prebuilt.mjs install   fetches that tarball from package.json's `binary.host`, an https:
 *                                      or file: address (install.mjs does so when it cannot build)
 * Uploading the tarball to the host is up to whoever publishes the package.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ADDON, ROOT } from './build.mjs'

const FLAGS = {
  package: [],
  // node-pre-gyp would build with node-gyp, and would keep an addon that is already there.
  install: ['--fallback-to-build=false', '--update-binary'],
}

const command = process.argv[2]
if (Object.hasOwn(FLAGS, command)) start()
else fail('usage: node native/prebuilt.mjs package | install')

function start() {
  if (command === 'package' && !existsSync(ADDON)) {
    return fail(`${ADDON} is not there; "npm run build:native" builds it`)
  }
  process.chdir(ROOT)
  const argv = [process.execPath, 'node-pre-gyp', '--loglevel=error', command, ...FLAGS[command]]
  const { Run } = createRequire(import.meta.url)('@mapbox/node-pre-gyp')
  const program = new Run({ package_json_path: join(ROOT, 'package.json'), argv })
  program.package_json = describe(program.package_json)
  program.commands[command]([], (error) => {
    if (error) fail(error.message)
  })
}

/** What node-pre-gyp wants to read in package.json; all but the host is the same for everyone. */
function describe(packageJson) {
  return {
    ...packageJson,
    main: 'dist/index.js',
    binary: {
      module_name: 'uwas',
      module_path: dirname(ADDON),
      package_name: `{module_name}-v{version}-napi-v${napiVersion()}-{platform}-{arch}-{libc}.tar.gz`,
      // It wants one even to pack, though the tarball does not depend on it.
      host: packageJson.binary?.host ?? 'https://host.invalid',
    },
  }
}

/** From CMakeLists.txt, the one place that says it. */
function napiVersion() {
  const [, version] = /NAPI_VERSION=(\d+)/.exec(readFileSync(join(ROOT, 'CMakeLists.txt'), 'utf8'))
  return version
}

function fail(message) {
  console.error(`uwas: ${message}`)
  process.exitCode = 1
}
