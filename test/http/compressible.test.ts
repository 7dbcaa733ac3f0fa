import t from 'tap'
import { isCompressible } from '../../src/http/compressible.ts'

t.test(
  'text in all its forms is worth compressing, what is compressed already is not',
  async (t) => {
    for (const type of [
      'text/html; charset=utf-8',
      'text/css',
      'TEXT/PLAIN',
      'text/event-stream',
      'application/javascript',
      'application/json; charset=utf-8',
      'application/ld+json',
      'application/problem+json',
      'application/manifest+json',
      'application/xml',
      'application/rss+xml',
      'image/svg+xml',
      'image/bmp',
      'image/x-icon',
      'font/ttf',
      'application/wasm',
    ]) {
      t.equal(isCompressible(type), true, type)
    }
    for (const type of [
      'application/octet-stream',
      'image/png',
      'image/jpeg',
      'video/mp4',
      'font/woff2',
      'application/gzip',
      'application/zip',
      'application/pdf',
      'application/jsonp-like',
      'application/javascriptx',
      'nontext/html',
      '',
    ]) {
      t.equal(isCompressible(type), false, type)
    }
  },
)
