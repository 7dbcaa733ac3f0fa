/** The list of all scenarios, in the order of `--list` and of `--scenario all`. */
import { mix } from './mix.ts'
import type { Scenario } from './scenario.ts'
import { sizes } from './sizes.ts'
import {
  closed,
  notModified,
  observed,
  pipelined,
  precompressed,
  secure,
  secureClosed,
} from './small.ts'
import { views } from './views.ts'
import { zipf } from './zipf.ts'

export const scenarios: readonly Scenario[] = [
  ...sizes,
  notModified,
  precompressed,
  pipelined,
  closed,
  observed,
  secure,
  secureClosed,
  zipf,
  ...views,
  mix,
]
