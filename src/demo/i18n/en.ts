/**
 * Every English word of the board. `ko.ts` has the same keys: the compiler and a test hold them
 * together. `{n}` and other names in braces are filled in by `format.ts`.
 */
export const en = {
  site: 'Madang',
  description: 'A small notice board for the neighbours round one courtyard.',
  skip: 'Skip to the content',
  home: 'Madang, to the newest notes',
  menu: 'Main menu',
  notes: 'Notes',
  flow: 'A request’s way',
  write: 'Write',
  writeNote: 'Write a note',
  footer: 'This page, its files and its data came out of one process.',
  footerLink: 'Look at the way it took.',
  changeLanguage: 'Read this page in:',

  list: {
    title: 'In the courtyard today',
    lede: 'Lost and found, gatherings, things to give away: a board for the neighbours.',
    empty: 'Nothing hangs here yet.',
    emptyHint: 'Yours could be the first note.',
    pages: 'Pages of notes',
    newer: 'Newer',
    older: 'Older',
    page: 'Page {n}',
    pageOf: 'Page {page} of {pages}',
  },

  post: {
    back: 'All notes',
    comments: 'Comments',
    earlier: {
      one: '{n} earlier comment is not shown.',
      other: '{n} earlier comments are not shown.',
    },
    noComments: 'No comments yet. A kind word goes a long way.',
    addComment: 'Add a comment',
    sendComment: 'Post the comment',
    like: 'Like',
    likes: { one: '{n} like', other: '{n} likes' },
    readers: { one: '{n} person is reading', other: '{n} people are reading' },
    commentCount: { one: '{n} comment', other: '{n} comments' },
  },

  form: {
    title: 'Write a note',
    lede: 'Everybody who passes through the courtyard can read it.',
    author: 'Your name',
    subject: 'Title',
    body: 'Note',
    comment: 'Comment',
    limit: { one: 'At most {n} character', other: 'At most {n} characters' },
    send: 'Put it on the board',
    cancel: 'Cancel',
    problems: { one: 'One thing to put right', other: '{n} things to put right' },
    errorPrefix: 'Error:',
  },

  errors: {
    author: {
      empty: 'Enter your name.',
      long: {
        one: 'The name is {n} character too long.',
        other: 'The name is {n} characters too long.',
      },
      control: 'The name holds a character that cannot be shown.',
    },
    title: {
      empty: 'Enter a title.',
      long: {
        one: 'The title is {n} character too long.',
        other: 'The title is {n} characters too long.',
      },
      control: 'The title holds a character that cannot be shown.',
    },
    body: {
      empty: 'Write something in the note.',
      long: {
        one: 'The note is {n} character too long.',
        other: 'The note is {n} characters too long.',
      },
      control: 'The note holds a character that cannot be shown.',
    },
    comment: {
      empty: 'Write something in the comment.',
      long: {
        one: 'The comment is {n} character too long.',
        other: 'The comment is {n} characters too long.',
      },
      control: 'The comment holds a character that cannot be shown.',
    },
  },

  foreignForm: 'This form came from another site, so nothing was changed.',

  way: {
    title: 'A request’s way',
    lede: 'One process takes a request from the browser to PostgreSQL and back. These are the real times of the last page and the last file that it served.',
    measure: 'Measure again',
    byHand: 'Or by hand: open {page} or {file}, then come back here.',
    byHandPage: 'the board',
    byHandFile: 'a style sheet',
    page: 'Page',
    file: 'File',
    pageNone: 'No page has been served since the start. Open the board once, then come back.',
    fileNone: 'No file has been served since the start. Open a style sheet once, then come back.',
    caption: 'Steps of a request, with the time that each took',
    step: 'Step',
    total: 'In all',
    between: 'Waiting between the steps',
    process: 'uwas: one process',
    notMeasured: 'not measured',
    passes: 'does not stop here',
    legend:
      'Times of the server: from the first byte of the request until the reply was handed to the kernel. The view’s time is without its statements and its template.',
    statements: { one: '{n} statement', other: '{n} statements' },
    steps: {
      browser: { name: 'Browser', text: 'asks for an address' },
      server: { name: 'Web server', text: 'reads the request, checks it' },
      files: { name: 'Files', text: 'finds the file, ready in memory' },
      middleware: { name: 'WAS', text: 'takes over what is no file; runs middleware' },
      route: { name: 'URL conf', text: 'finds the view of the address' },
      view: { name: 'View', text: 'decides what to show' },
      model: { name: 'Model', text: 'asks PostgreSQL' },
      template: { name: 'Template', text: 'makes the HTML' },
      reply: { name: 'Reply', text: 'status, fields and body, written once' },
      shown: { name: 'Browser', text: 'shows what it got' },
    },
  },
} as const
