-- Notes, their comments, and who likes what. Lengths are held here too, so that no way in can pass them by.

create table posts (
  id bigint generated always as identity primary key,
  -- Fingerprint of one filled-in form: the same form sent twice makes one post.
  submission uuid not null unique,
  author text not null check (char_length(author) between 1 and 30),
  title text not null check (char_length(title) between 1 and 80),
  body text not null check (char_length(body) between 1 and 4000),
  -- Counted here, in the transaction that adds or removes, so that a list needs no counting.
  like_count integer not null default 0 check (like_count >= 0),
  comment_count integer not null default 0 check (comment_count >= 0),
  created_at timestamptz not null default now()
);

create table comments (
  id bigint generated always as identity primary key,
  submission uuid not null unique,
  post_id bigint not null references posts on delete cascade,
  author text not null check (char_length(author) between 1 and 30),
  body text not null check (char_length(body) between 1 and 1000),
  created_at timestamptz not null default now()
);

create index comments_of_post on comments (post_id, id);

create table likes (
  post_id bigint not null references posts on delete cascade,
  visitor uuid not null,
  created_at timestamptz not null default now(),
  primary key (post_id, visitor)
);
