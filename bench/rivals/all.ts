/** All rivals of static files in the order of the tables; those of views are in `views.ts`. uwas comes first: the others are given its fields. */
import { apacheVariants } from './apache.ts'
import { bun } from './bun.ts'
import { caddy } from './caddy.ts'
import { epoll } from './epoll.ts'
import { h2o } from './h2o.ts'
import { lighttpd } from './lighttpd.ts'
import { nginxVariants } from './nginx.ts'
import { rawUws } from './raw-uws.ts'
import type { Rival } from './rival.ts'
import { uwas } from './uwas.ts'

export const rivals: readonly Rival[] = [
  uwas,
  ...nginxVariants,
  ...apacheVariants,
  h2o,
  caddy,
  lighttpd,
  bun,
  rawUws,
  epoll,
]
