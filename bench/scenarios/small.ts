/** One small file in other ways than plain keep-alive: revalidated, precompressed, pipelined, once a connection. */
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { numbered, page } from './content.ts'
import type { Scenario } from './scenario.ts'

const oneKib = {
  files: () => [['file.txt', numbered(1024, 0)]] as const,
  paths: ['/file.txt'],
  connections: 64,
}

export const notModified: Scenario = {
  ...oneKib,
  name: 'not-modified',
  title: '304 for If-None-Match, keep-alive',
  revalidates: true,
}

export const pipelined: Scenario = {
  ...oneKib,
  name: 'pipelined',
  title: 'static file of 1 KiB, 16 requests at once',
  pipelined: 16,
}

export const closed: Scenario = {
  ...oneKib,
  name: 'connections',
  title: 'static file of 1 KiB, a connection per request',
  closes: true,
}

export const observed: Scenario = {
  ...oneKib,
  name: 'observed',
  title: 'static file of 1 KiB, with an access log or metrics',
  observed: true,
}

export const secure: Scenario = {
  ...oneKib,
  name: 'tls',
  title:
    'static file of 1 KiB over TLS by HTTP/1.1, keep-alive, with and without an offer of HTTP/2',
  secure: true,
}

export const secureClosed: Scenario = {
  ...secure,
  name: 'tls-connections',
  title: 'static file of 1 KiB over TLS by HTTP/1.1, a handshake per request',
  closes: true,
}

export const precompressed: Scenario = {
  name: 'precompressed',
  title: 'precompressed page of about 11 KiB, keep-alive',
  files: () => {
    const html = page(4400)
    return [
      ['page.html', html],
      ['page.html.gz', gzipSync(html, { level: 9 })],
      ['page.html.br', brotliCompressSync(html)],
    ] as const
  },
  paths: ['/page.html'],
  gzip: true,
  connections: 64,
}
