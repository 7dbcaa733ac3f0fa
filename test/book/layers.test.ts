import { dirname, join } from 'node:path'
import t from 'tap'
import { readText, sources } from '../support/sources.ts'

/** DESIGN: a file imports only from its own folder or from folders below it in this list. */
const LAYERS = [
  'index',
  'main',
  'commands',
  'testing',
  'supervisor',
  'app',
  'server',
  'proxy',
  'pages',
  'files',
  'was',
  'route',
  'model',
  'template',
  'observe',
  'cache',
  'native',
  'http',
  'core',
]

/** `src/was/render.ts` → `was`; `src/app.ts` → `app`. */
function layerOf(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.ts$/, '')
}

function importsOf(text: string): string[] {
  const found = text.matchAll(/(?:^|\n)(?:import|export)\b[^'\n]*(?:\n[^'\n]*)*?\bfrom '([^']+)'/g)
  const bare = text.matchAll(/(?:^|\n)import '([^']+)'|\bimport\('([^']+)'\)/g)
  return [...found, ...bare].map(([, a, b]) => a ?? b ?? '')
}

t.test('no import goes up', async (t) => {
  let seen = 0
  for (const { path, text } of sources('src')) {
    const own = layerOf(path)
    if (own === 'demo') continue
    t.ok(LAYERS.includes(own), `${path} stands in a layer of the list`)
    for (const specifier of importsOf(text).filter((one) => one.startsWith('.'))) {
      const target = layerOf(join(dirname(path), specifier))
      seen += 1
      if (LAYERS.indexOf(target) < LAYERS.indexOf(own)) t.fail(`${path} imports ${specifier}`)
    }
  }
  t.ok(seen > 100, `${seen} imports were looked at`)
})

t.test('the demo is a site like any other: of uwas it imports uwas alone', async (t) => {
  for (const { path, text } of sources('src/demo')) {
    for (const specifier of importsOf(text)) {
      const isInside = join(dirname(path), specifier).startsWith('src/demo/')
      const isFine = specifier === 'uwas' || specifier.startsWith('node:') || isInside
      if (!isFine) t.fail(`${path} imports ${specifier}`)
    }
  }
  t.ok(importsOf(readText('src/demo/uwas.config.ts')).includes('uwas'))
})

t.test('engines are imported by server/ alone', async (t) => {
  for (const { path, text } of sources('src')) {
    if (/'(?:uws-|@uwsjs\/|uWebSockets)/.test(text)) t.match(path, /^src\/server\//)
  }
})

t.test('every file opens by saying what arrives, what leaves and who calls it', async (t) => {
  for (const { path, text } of sources('src')) {
    t.match(text.replace(/^#!.*\n/, ''), /^\/\*\*[ \n]/, path)
  }
})

t.test('no default export, no work left for later', async (t) => {
  for (const { path, text } of [...sources('src'), ...sources('test')]) {
    t.notMatch(text, /^export default/m, path)
    t.notMatch(text, new RegExp(`\\b(?:${['TO', 'DO'].join('')}|FIX${'ME'}|X{3})\\b`), path)
  }
})
