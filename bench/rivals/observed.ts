/** uwas with what an operator wants to know of it, each beside uwas that tells nothing; nginx with its log beside nginx without. */
import { join } from 'node:path'
import { nginxLogging } from './nginx.ts'
import type { Rival } from './rival.ts'
import { uwas, uwasConfigured } from './uwas.ts'

export const observedRivals: readonly Rival[] = [
  uwas,
  uwasConfigured('uwas, combined log', ({ scratch }) => ({
    accessLog: { file: join(scratch, 'access.log') },
  })),
  uwasConfigured('uwas, JSON log', ({ scratch }) => ({
    accessLog: { file: join(scratch, 'access.log'), format: 'json' },
  })),
  uwasConfigured('uwas, metrics', () => ({ status: { listen: '127.0.0.1:0' } })),
  ...nginxLogging,
]
