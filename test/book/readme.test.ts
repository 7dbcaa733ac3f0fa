import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CONFIG_KEYS } from '../../src/was/config.ts'
import { run } from '../support/binary.ts'
import { ROOT, readText } from '../support/sources.ts'

const README = readText('README.md')
const BOOKS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md']

/** First cells of the table below `heading`. */
function firstCells(heading: string): string[] {
  const [, section = ''] = README.split(`\n## ${heading}\n`)
  const [own = ''] = section.split('\n## ')
  return [...own.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell]) => cell ?? '')
}

t.test('the table of options has exactly the keys of the schema', async (t) => {
  const keys = CONFIG_KEYS.filter((key) => !['limits', 'files', 'cache'].includes(key))
  t.strictSame(firstCells('Configuration').sort(), [...keys].sort())
})

t.test('the table of commands has exactly the commands of the binary', async (t) => {
  const { stdout } = await run(['--help'])
  const [, list = ''] = /\nCommands:\n((?: {2}.*\n)+)/.exec(stdout) ?? []
  const commands = [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name)
  const told = firstCells('Commands').map((cell) => cell.split(' ')[1])
  t.strictSame([...told, 'help'].sort(), commands.sort())
})

t.test('every npm script that is named exists', async (t) => {
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> }
  for (const book of BOOKS) {
    for (const [, name = ''] of readText(book).matchAll(/\bnpm run ([\w:]*\w)/g)) {
      t.ok(name in scripts, `${book}: npm run ${name}`)
    }
  }
  for (const name of ['start', 'test', 'dev']) t.ok(name in scripts, name)
})

t.test('every file that is linked exists', async (t) => {
  for (const book of BOOKS) {
    for (const [, link = ''] of readText(book).matchAll(/\]\(([^)#:]+)\)/g)) {
      t.ok(existsSync(join(ROOT, link)), `${book}: ${link}`)
    }
  }
})

t.test('every flag and variable that the help names is real', async (t) => {
  const { stdout } = await run(['serve', '--help'])
  for (const word of ['--port', '--host', '--config', 'PORT', 'DATABASE_URL', 'XDG_CACHE_HOME']) {
    t.match(stdout, word)
  }
})
