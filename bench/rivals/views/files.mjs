/** The files of a scenario in memory, for the rivals that serve from memory (Node and Bun run it). None without a folder. */
import { extname } from 'node:path'
import { readFolder } from '../folder.mjs'

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.jpg': 'image/jpeg',
  '.woff2': 'font/woff2',
}

/** @returns {[path: string, {body: Buffer, fields: [string, string][]}][]} */
export function filesOf(dir, fields) {
  if (dir === undefined || dir === '') return []
  const rest = fields.filter(([name]) => name.toLowerCase() !== 'content-type')
  return [...readFolder(dir, rest)].map(([path, { body, fields: all }]) => [
    path,
    {
      body,
      fields: [...all, ['Content-Type', TYPES[extname(path)] ?? 'application/octet-stream']],
    },
  ])
}
