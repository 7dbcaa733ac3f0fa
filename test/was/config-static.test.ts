import t from 'tap'
import { parseConfig } from '../../src/was/config.ts'

const FILE = '/site/uwas.config.ts'
const parse = (raw: unknown) => parseConfig(raw, { file: FILE, env: {} })

/** The lines of what is wrong with `raw`. */
function problems(raw: unknown): string[] {
  try {
    parse(raw)
  } catch (error) {
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.replace('  - ', ''))
  }
  return []
}

t.test('a folder says how it is served', async (t) => {
  const folder = {
    dir: 'public',
    prefix: '/app',
    index: 'home.html',
    cleanUrls: true,
    spa: true,
    listing: true,
    lastModified: false,
    cacheControl: [{ match: '*.js', cacheControl: 'max-age=60' }],
    types: { md: 'text/markdown', 'hwp~': 'application/x-hwp; v="1, 2"; w=3' },
  }
  t.strictSame(parse({ static: [folder] }).static, [
    { ...folder, dir: '/site/public', index: ['home.html'], spa: 'index.html' },
  ])
  const shells = [{ dir: 'a', spa: 'app/shell.html' }, { dir: 'b', spa: false }, { dir: 'c' }]
  t.strictSame(
    parse({ static: shells }).static.map(({ spa }) => spa),
    ['app/shell.html', null, null],
  )
  t.ok(Object.isFrozen(parse({ static: [folder] }).static[0]?.cacheControl[0]))
  t.ok(Object.isFrozen(parse({ static: [folder] }).static[0]?.types))
})

t.test('what does not fit a folder is told with its place', async (t) => {
  const cases: [folder: object, problem: string | RegExp][] = [
    [{ indx: 'a' }, 'unknown key "static[0].indx"; did you mean "index"?'],
    [{ index: 'a/b' }, 'static[0].index is no file name; leave out the folder'],
    [{ index: 7 }, 'static[0].index is 7; it has to be a file name, or a list of them'],
    [{ spa: '/shell.html' }, /^static\[0\]\.spa is no path inside the folder/],
    [{ spa: 1 }, 'static[0].spa is 1; it has to be true, false, or a path inside the folder'],
    [{ listing: 'yes' }, 'static[0].listing is "yes"; it has to be a boolean'],
    [{ types: ['md'] }, 'static[0].types is a list; it has to be a record'],
    ...['.md', 'MD', 'tar.gz', 'a/b', ' md', ''].map((ending): [object, string] => [
      { types: { [ending]: 'text/plain' } },
      `static[0].types has ${JSON.stringify(ending)}, which is no ending like md: write it small, without its dot`,
    ]),
    [{ types: { md: 7 } }, 'static[0].types.md is 7; it has to be a string'],
    ...['text', 'text/', 'text/a b', 'text/a\r\nX: 1', 'text/a; b', 'a/b; c="\n"'].map(
      (type): [object, string] => [
        { types: { md: type } },
        'static[0].types.md is no type like text/markdown or text/plain; charset=euc-kr',
      ],
    ),
    [{ lastModified: 0 }, 'static[0].lastModified is 0; it has to be a boolean'],
    [
      { cacheControl: [{ match: '', cacheControl: 'x' }] },
      'static[0].cacheControl[0].match is empty; write ** for all files',
    ],
    [
      { cacheControl: [{ match: '*', cacheControl: 'a\nb' }] },
      'static[0].cacheControl[0].cacheControl cannot stand in a field',
    ],
    [
      { cacheControl: [{ match: '*', cacheControl: 'x', maxAge: 1 }] },
      /^unknown key "static\[0\]\.cacheControl\[0\]\.maxAge"/,
    ],
  ]
  for (const [folder, problem] of cases) {
    const [line, ...more] = problems({ static: [{ dir: 'a', ...folder }] })
    t.strictSame(more, [], JSON.stringify(folder))
    if (typeof problem === 'string') t.equal(line, problem)
    else t.match(line, problem)
  }
})

t.test('files have a budget, a ceiling, a way to be watched and a memory', async (t) => {
  t.strictSame(parse({}).files, {
    maxBytes: 536_870_912,
    maxFileBytes: 16_777_216,
    watch: 'auto',
    deployments: 3,
  })
  const files = { maxBytes: 1, maxFileBytes: 0, watch: 'poll', deployments: 0 }
  t.strictSame(parse({ files }).files, files)
  t.equal(parse({ files: { watch: false } }).files.watch, 'off')
  t.equal(parse({ files: { maxBytes: undefined } }).files.maxBytes, 536_870_912)
  t.strictSame(problems({ files: { maxByte: 1, maxFileBytes: 2 ** 31, watch: 'off' } }), [
    'files.maxFileBytes is 2147483648; it has to be at most 1073741824',
    'files.watch is "off"; it has to be one of "auto", "poll", false',
    'unknown key "files.maxByte"; did you mean "maxBytes"?',
  ])
  t.strictSame(problems({ files: { deployments: -1 } }), [
    'files.deployments is -1; it has to be at least 0',
  ])
})
