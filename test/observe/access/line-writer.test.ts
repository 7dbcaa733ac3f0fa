/** Lines on their way into files, pipes and streams that may be full, away, or somebody else's in a moment. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createLog } from '../../../src/core/log.ts'
import { LineWriter, type LineWriterOptions } from '../../../src/observe/access/line-writer.ts'
import { eventually } from '../../support/supervised.ts'

const MIB = 1024 * 1024

interface Opened {
  readonly writer: LineWriter
  readonly told: string[]
}

function open(t: Test, file: string, options: Partial<LineWriterOptions> = {}): Opened {
  const told: string[] = []
  const log = createLog((line) => told.push(line))
  const writer = new LineWriter({
    file,
    maxBufferBytes: MIB,
    rotation: null,
    what: 'access log',
    log,
    ...options,
  })
  writer.open()
  t.teardown(() => writer.close())
  return { writer, told }
}

const rotation = { maxFileBytes: 0, maxFileSeconds: 0, keepFiles: 10 }
const folder = (t: Test): string => t.testdir({})
const read = (file: string): string => (existsSync(file) ? readFileSync(file, 'latin1') : '')
const written = (file: string, text: string) =>
  eventually(`${file} holds ${JSON.stringify(text)}`, () => read(file) === text)

/** Appends `line` until `condition` is true: a look at the file takes place once a second at most. */
async function untilSo(writer: LineWriter, line: string, condition: () => boolean): Promise<void> {
  await eventually('what lines bring about', () => {
    writer.append(line)
    return condition()
  })
}

t.test(
  'lines are appended to what is there, in their order, and nobody else may read them',
  async (t) => {
    const file = join(folder(t), 'access.log')
    const { writer, told } = open(t, file)
    for (let i = 0; i < 1000; i++) writer.append(`${i}\n`)
    const text = Array.from({ length: 1000 }, (_, i) => `${i}\n`).join('')
    await written(file, text)
    t.equal(statSync(file).mode & 0o007, 0)
    await writer.close()
    const second = open(t, file)
    second.writer.append('more\n')
    await second.writer.close()
    t.equal(read(file), `${text}more\n`)
    t.strictSame([told, second.told], [[], []])
    second.writer.append('too late\n')
    await sleep(0)
    t.equal(read(file), `${text}more\n`, 'after its end it takes none')
  },
)

t.test('several writers have their lines whole in one file', async (t) => {
  const file = join(folder(t), 'access.log')
  const all = ['a', 'b', 'c'].map((name) => ({ name, ...open(t, file) }))
  for (let i = 0; i < 2000; i++) {
    for (const { name, writer } of all) writer.append(`${name.repeat(100 + (i % 50))}\n`)
    if (i % 100 === 0) await sleep(1)
  }
  await Promise.all(all.map(({ writer }) => writer.close()))
  const lines = read(file).split('\n').slice(0, -1)
  t.equal(lines.length, 6000)
  t.equal(lines.filter((line) => !/^(?:a{100,}|b{100,}|c{100,})$/.test(line)).length, 0)
})

t.test('a renamed file is left after SIGUSR1, and before that within a moment', async (t) => {
  const dir = folder(t)
  const file = join(dir, 'access.log')
  const { writer, told } = open(t, file)
  writer.append('one\n')
  await written(file, 'one\n')
  renameSync(file, `${file}.1`)
  writer.append('two\n')
  writer.reopen()
  await written(file, 'two\n')
  t.equal(read(`${file}.1`), 'one\n')
  renameSync(file, `${file}.2`)
  await untilSo(writer, 'three\n', () => existsSync(file))
  await eventually('the new file has lines', () => read(file).startsWith('three\n'))
  unlinkSync(file)
  await untilSo(writer, 'four\n', () => existsSync(file))
  t.strictSame(told, [])
})

t.test('a full disk loses lines, is told once, and once more when it is over', async (t) => {
  const dir = folder(t)
  const file = join(dir, 'access.log')
  symlinkSync('/dev/full', file)
  const { writer, told } = open(t, file)
  for (let i = 0; i < 3; i++) {
    writer.append('lost\n')
    await eventually('it is dropped', () => writer.dropped === i + 1)
  }
  t.equal(told.length, 1)
  t.match(
    told[0],
    /^uwas: error: access log .*access\.log: lines are lost until it can be written: ENOSPC/,
  )
  unlinkSync(file)
  writer.reopen()
  writer.append('kept\n')
  await written(file, 'kept\n')
  await eventually('it is told', () => told.length === 2)
  t.match(told[1], /^uwas: warning: access log .*: is written again; 3 lines were lost$/)
  unlinkSync(file)
  symlinkSync('/dev/full', file)
  writer.reopen()
  writer.append('lost\n')
  await eventually('a second time is told too', () => told.length === 3)
  t.equal(writer.dropped, 4)
})

t.test('a file that cannot be opened is told once, and tried again', async (t) => {
  const dir = folder(t)
  const file = join(dir, 'logs', 'access.log')
  const { writer, told } = open(t, file)
  t.equal(told.length, 1)
  t.match(told[0], /^uwas: error: access log .*access\.log: cannot be opened: ENOENT/)
  writer.append('lost\n')
  await eventually('it is dropped', () => writer.dropped === 1)
  mkdirSync(join(dir, 'logs'))
  writer.reopen()
  writer.append('kept\n')
  await written(file, 'kept\n')
  await eventually('it is told', () => told.length === 2)
  t.match(told[1], /is written again; 1 line was lost$/)
})

t.test('a folder that has gone with its file does not stop anything', async (t) => {
  const dir = folder(t)
  mkdirSync(join(dir, 'logs'))
  const file = join(dir, 'logs', 'access.log')
  const { writer, told } = open(t, file)
  writer.append('one\n')
  await written(file, 'one\n')
  rmSync(join(dir, 'logs'), { recursive: true })
  await untilSo(writer, 'gone\n', () => told.length > 0)
  t.match(told, [/cannot be opened: ENOENT/])
  mkdirSync(join(dir, 'logs'))
  await untilSo(writer, 'there\n', () => existsSync(file))
  t.equal(told.length, 1)
})

t.test(
  'what may not be written is told with its reason',
  { skip: process.getuid?.() === 0 && 'root may' },
  async (t) => {
    const dir = folder(t)
    const file = join(dir, 'access.log')
    writeFileSync(file, '')
    chmodSync(file, 0o444)
    const { told } = open(t, file)
    t.match(told, [/cannot be opened: EACCES/])
  },
)

t.test('a folder in the place of the file is told', async (t) => {
  const { told } = open(t, folder(t))
  t.match(told, [/cannot be opened: EISDIR/])
})

t.test(
  'a pipe that nobody reads loses lines and holds up nothing; its reader gets whole ones',
  async (t) => {
    const pipe = join(folder(t), 'pipe')
    execFileSync('mkfifo', [pipe])
    const { writer, told } = open(t, pipe)
    t.match(told, [/cannot be opened: ENXIO/])
    writer.append('lost\n')
    await eventually('it is dropped', () => writer.dropped === 1)
    const reader = createReadStream(pipe, 'latin1')
    let seen = ''
    reader.on('data', (text) => {
      seen += text
    })
    // It opens once both ends are there.
    await untilSo(writer, `${'x'.repeat(99)}\n`, () => seen.length > 0)
    t.match(seen, /^(?:x{99}\n)+$/)
    reader.destroy()
    await untilSo(writer, 'lost\n', () => told.length === 3)
    t.match(told, [/cannot be opened: ENXIO/, /is written again/, /lines are lost .*EPIPE/])
  },
)

t.test('what a slow reader does not take is dropped beyond the buffer, and counted', async (t) => {
  const pipe = join(folder(t), 'pipe')
  execFileSync('mkfifo', [pipe])
  // With both ends in one hand opening waits for nobody, and nobody reads.
  const hold = openSync(pipe, 'r+')
  const { writer, told } = open(t, pipe, { maxBufferBytes: 64 * 1024 })
  let count = 0
  await eventually('lines are dropped', () => {
    for (let i = 0; i < 100; i++) writer.append(`${String(count++).padStart(99, '.')}\n`)
    return writer.dropped > 0
  })
  const { dropped } = writer
  const reader = createReadStream(pipe, 'latin1')
  let seen = ''
  reader.on('data', (text) => {
    seen += text
  })
  await eventually('all others have come', () => seen.length === 100 * (count - dropped))
  t.match(seen, /^(?:\.*\d+\n)+$/, 'their lines are whole')
  t.equal(writer.dropped, dropped)
  await eventually('it is told', () => told.length === 2)
  t.match(told, [
    /lines are lost until it can be written: it takes lines more slowly than they come$/,
    /written again/,
  ])
  closeSync(hold)
  await writer.close()
  await once(reader, 'close')
})

t.test(
  'a file that has grown too long gets a name with the time, and the oldest of them leave',
  async (t) => {
    const dir = folder(t)
    const file = join(dir, 'access.log')
    writeFileSync(join(dir, 'access.log.note'), 'mine')
    const { writer, told } = open(t, file, {
      rotation: { ...rotation, maxFileBytes: 100, keepFiles: 2 },
    })
    const old = (): string[] =>
      readdirSync(dir).filter((name) => /^access\.log\.\d{8}T\d{6}\.\d{3}$/.test(name))
    const names = new Set<string>()
    await eventually('it has been renamed four times', () => {
      writer.append(`${'x'.repeat(99)}\n`)
      writer.reopen()
      for (const name of old()) names.add(name)
      return names.size >= 4
    })
    await writer.close()
    t.equal(old().length, 2)
    const [oldest = ''] = old().sort()
    const gone = [...names].filter((name) => !old().includes(name))
    t.ok(gone.length >= 2 && gone.every((name) => name < oldest), 'the youngest are kept')
    for (const name of old()) t.ok(read(join(dir, name)).length >= 100)
    t.equal(read(join(dir, 'access.log.note')), 'mine')
    t.strictSame(told, [])
  },
)

t.test('a file that is too old is renamed once it has lines', async (t) => {
  const dir = folder(t)
  const file = join(dir, 'access.log')
  const { writer } = open(t, file, { rotation: { ...rotation, maxFileSeconds: 1 } })
  await sleep(1100)
  writer.reopen()
  writer.append('one\n')
  await written(file, 'one\n')
  t.equal(readdirSync(dir).length, 1, 'an empty one stays')
  await untilSo(writer, 'more\n', () => readdirSync(dir).length === 2)
})
