import { chmodSync } from 'node:fs'
import t from 'tap'
import { folder, run } from '../support/binary.ts'

const NO_STACK = /\n\s+at /

t.test(
  'a mistake in the command line is told in one message with a hint, exit code 2',
  async (t) => {
    const cases: [args: string[], message: RegExp][] = [
      [['serv'], /unknown command 'serv'\n\(Did you mean serve\?\)/],
      [['serve', '--prot', '1'], /unknown option '--prot'\n\(Did you mean --port\?\)/],
      [
        ['serve', '--port', '70000'],
        /argument '70000' is invalid\. It is no number from 0 to 65535/,
      ],
      [['serve', '--port'], /'-p, --port <number>' argument missing/],
      [['serve', 'a', 'b'], /too many arguments/],
      [['migrate', '--revert', '0'], /argument '0' is invalid\. It is no whole number above 0/],
      [['migrate', '--down', 'x'], /argument 'x' is invalid\. It is no whole number above 0/],
      [['migrate', '--down', '--to', '1'], /cannot be used with option '--to <name>'/],
      [['migrate', '--dry-run', '--status'], /cannot be used with option '--status'/],
      [
        ['migrate', '--lock-timeout', '-1'],
        /argument '-1' is invalid\. It is no number of seconds/,
      ],
      [['migration'], /missing required argument 'name'/],
      [['migration', 'x', '--empty', '--squash'], /cannot be used with option '--squash'/],
      [['migrate', '--revert', '--status'], /cannot be used with option '--status'/],
    ]
    for (const [args, message] of cases) {
      const { code, stderr, stdout } = await run(args)
      t.equal(code, 2, args.join(' '))
      t.match(stderr, message)
      t.notMatch(stderr, NO_STACK)
      t.equal(stdout, '')
    }
  },
)

t.test('without a command the help is printed, exit code 2', async (t) => {
  const { code, stderr } = await run([])
  t.equal(code, 2)
  t.match(stderr, /^Usage: uwas /)
})

t.test('--help and --version answer on standard output, exit code 0', async (t) => {
  const help = await run(['--help'])
  t.equal(help.code, 0)
  t.match(help.stdout, /Examples:\n {2}uwas new notebook/)
  t.match(help.stdout, /DATABASE_URL/)
  const serve = await run(['serve', '--help'])
  t.match(serve.stdout, /--port <number> .*default: PORT, the\s+configuration, 8080/)
  const version = await run(['--version'])
  t.match(version.stdout, /^\d+\.\d+\.\d+\n$/)
})

t.test('a folder that cannot be served is told, with what to do', async (t) => {
  const root = folder(t, { 'file.txt': 'x', 'public/a.txt': 'a' })
  const missing = await run(['serve', 'nowhere'], { cwd: root })
  t.equal(missing.code, 2)
  t.match(
    missing.stderr,
    /cannot serve "nowhere": there is no such folder \[UWAS_ERR_COMMANDS_FOLDER\]/,
  )
  const file = await run(['serve', 'file.txt'], { cwd: root })
  t.equal(file.code, 2)
  t.match(file.stderr, /"file\.txt": it is a file; name the folder that holds it/)
  const both = await run(['serve', 'public', '--config', 'x.ts'], { cwd: root })
  t.equal(both.code, 2)
  t.match(both.stderr, /give one of the two/)
  const unreadable = process.getuid?.() !== 0
  if (unreadable) {
    chmodSync(`${root}/public`, 0)
    const closed = await run(['serve', 'public'], { cwd: root })
    chmodSync(`${root}/public`, 0o755)
    t.equal(closed.code, 2)
    t.match(closed.stderr, /chmod u\+rx/)
  }
})

t.test('a site without a configuration file is told where to look', async (t) => {
  const root = folder(t, {})
  const { code, stderr } = await run(['serve'], { cwd: root })
  t.equal(code, 2)
  t.match(
    stderr,
    /uwas\.config\.ts does not exist: .*--config.*"uwas serve DIR" \[UWAS_ERR_COMMANDS_NO_CONFIG\]/,
  )
  const named = await run(['check', '--config', 'other.ts'], { cwd: root })
  t.equal(named.code, 2)
  t.match(named.stderr, /other\.ts does not exist/)
})

t.test('every mistake of a configuration is told at once, exit code 2', async (t) => {
  const root = folder(t, {
    'uwas.config.ts':
      "export const config = { prot: 1, limits: { maxBodyByte: 5 }, timings: 'no' }",
  })
  const { code, stderr } = await run(['serve'], { cwd: root })
  t.equal(code, 2)
  t.match(stderr, /unknown key "prot"; did you mean "port"\?/)
  t.match(stderr, /unknown key "limits\.maxBodyByte"; did you mean "maxBodyBytes"\?/)
  t.match(stderr, /timings is "no"; it has to be a boolean/)
  t.match(stderr, /\[UWAS_ERR_WAS_CONFIG\]/)
  t.notMatch(stderr, NO_STACK)
  const verbose = await run(['serve', '--verbose'], { cwd: root })
  t.match(verbose.stderr, NO_STACK, 'the stack is there for who asks')
})

t.test('a configuration file that does not load is told with its line', async (t) => {
  const root = folder(t, {
    'syntax.ts': 'export const config = {\n  port: = 1\n}',
    'empty.ts': 'export const other = 1',
    'throws.ts': 'const a: { b?: { c: number } } = {}\n\nexport const config = { port: a.b!.c }',
    'missing.ts': "import { x } from './nowhere.ts'\nexport const config = x",
    'imports.ts': "import './wrong.js'\nexport const config = {}",
    'wrong.js': 'export const a = 1\nexport const b = ;\n',
    'names.ts': "import './misses.mjs'\nexport const config = {}",
    'misses.mjs': "\nimport { nothing } from './empty.ts'\nexport const config = nothing",
    'package.json': '{ "type": "module" }',
    'enum.ts': 'enum A { B }\nexport const config = { port: A.B }',
  })
  const cases: [file: string, message: RegExp][] = [
    ['syntax.ts', /syntax\.ts cannot be loaded: .*syntax\.ts:2:\d+: .*[\s\S]*port: = 1\n *\^/],
    ['empty.ts', /exports no configuration: .*defineConfig.* \[UWAS_ERR_COMMANDS_CONFIG_EXPORT\]/],
    [
      'throws.ts',
      /throws\.ts cannot be loaded: TypeError: .* \[UWAS_ERR_COMMANDS_CONFIG_LOAD\]\n {2}at .*throws\.ts:3:\d+/,
    ],
    ['missing.ts', /missing\.ts cannot be loaded: Error: Cannot find module .*nowhere\.ts/],
    [
      'imports.ts',
      /imports\.ts cannot be loaded: \S+\/wrong\.js:2:18: Unexpected token ';' \[UWAS_ERR_COMMANDS_CONFIG_LOAD\]\n[\s\S]*export const b = ;\n +\^/,
    ],
    [
      'names.ts',
      /names\.ts cannot be loaded: \S+\/misses\.mjs:2: The requested module '.\/empty.ts' does not provide an export named 'nothing'/,
    ],
    ['enum.ts', /enum\.ts:1:1: TypeScript enum is not supported/],
  ]
  const ends = await Promise.all(
    cases.map(([file]) => run(['serve', '--config', file], { cwd: root })),
  )
  for (const [i, { code, stderr }] of ends.entries()) {
    const [file, message] = cases[i] as (typeof cases)[number]
    t.equal(code, 2, file)
    t.match(stderr, message)
    t.notMatch(stderr, /uwas-load/)
  }
})
