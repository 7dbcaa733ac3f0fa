/** The stations of the drawing in their order, and which of the two lines stops at each. */
import type { Step } from 'uwas'

/** `page`: answered by a view; `file`: answered from the file catalogue. */
export type Line = 'page' | 'file'

export interface Stop {
  /** Where the browser asks and shows is not measured: that is outside the server. */
  readonly step: Exclude<Step, 'transaction' | 'part'> | 'browser' | 'shown'
  readonly lines: readonly Line[]
}

/** Stations beside each other: in the server's process or outside it. */
export interface Part {
  readonly inProcess: boolean
  readonly stops: readonly Stop[]
}

export const LINES: readonly Line[] = ['page', 'file']

export const PARTS: readonly Part[] = [
  { inProcess: false, stops: [{ step: 'browser', lines: LINES }] },
  {
    inProcess: true,
    stops: [
      { step: 'server', lines: LINES },
      { step: 'files', lines: ['file'] },
      { step: 'middleware', lines: ['page'] },
      { step: 'route', lines: ['page'] },
      { step: 'view', lines: ['page'] },
      { step: 'model', lines: ['page'] },
      { step: 'template', lines: ['page'] },
      { step: 'reply', lines: LINES },
    ],
  },
  { inProcess: false, stops: [{ step: 'shown', lines: LINES }] },
]
