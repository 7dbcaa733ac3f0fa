/**
 * argv: folder, port, fields as JSON. Answers exact paths from memory: one `writeStatus` with all fields
 * and one `end`. Bodies above 64 KiB go in windows, so that nothing is copied for a slow reader.
 */
import { loadEngine } from '../../dist/server/engine.js'
import { readFolder } from './folder.mjs'

const WHOLE_BYTES = 64 * 1024

const [dir, port, fields] = process.argv.slice(2)
const { uws } = loadEngine()
const own = (bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
const head = (status, all) =>
  own(
    Buffer.from(
      `${status}${all.map(([name, value]) => `\r\n${name}: ${value}`).join('')}`,
      'latin1',
    ),
  )

const entries = new Map()
for (const [path, { body, etag, fields: all, gzip }] of readFolder(dir, JSON.parse(fields))) {
  entries.set(path, {
    etag,
    head: head('200 OK', all),
    lastHead: head('200 OK', [...all, ['Connection', 'close']]),
    body: own(body),
    head304: head(
      '304 Not Modified',
      all.filter(([name]) => name.toLowerCase() !== 'content-type'),
    ),
    ...(gzip && {
      gzip: own(gzip),
      gzipHead: head('200 OK', [...all, ['Content-Encoding', 'gzip']]),
    }),
  })
}

function answer(res, req) {
  const entry = entries.get(req.getUrl())
  if (entry === undefined) {
    res.writeStatus('404 Not Found').end()
    return
  }
  if (req.getHeader('if-none-match') === entry.etag) {
    res.writeStatus(entry.head304).endWithoutBody()
    return
  }
  const gzip = entry.gzip !== undefined && req.getHeader('accept-encoding').includes('gzip')
  const last = req.getHeader('connection') === 'close'
  const body = gzip ? entry.gzip : entry.body
  res.writeStatus(gzip ? entry.gzipHead : last ? entry.lastHead : entry.head)
  if (body.byteLength > WHOLE_BYTES) stream(res, body)
  else res.end(body, last)
}

function stream(res, body) {
  const [, done] = res.tryEnd(body, body.byteLength)
  if (done) return
  res.onAborted(() => {})
  res.onWritable((offset) => res.tryEnd(body.slice(offset), body.byteLength)[0])
}

uws
  .App()
  .get('/*', answer)
  .listen('127.0.0.1', Number(port), uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
    if (!socket) process.exit(1)
  })
