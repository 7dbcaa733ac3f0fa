-- Neighbours with an account. What was written before has no owner and stays as it is.

alter table posts
  add column owner_id bigint references uwas.users on delete set null,
  add column hidden_at timestamptz;
alter table comments add column owner_id bigint references uwas.users on delete set null;

create table members (
  user_id bigint primary key references uwas.users,
  -- Whose likes are theirs, on whatever device.
  visitor uuid not null unique default gen_random_uuid(),
  points bigint not null default 100 check (points >= 0)
);

-- Every point that has changed hands. The same form sent twice is one transfer.
create table transfers (
  submission uuid primary key,
  from_id bigint not null references members,
  to_id bigint not null references members,
  amount bigint not null check (amount > 0),
  created_at timestamptz not null default now(),
  check (from_id <> to_id)
);
create index transfers_from on transfers (from_id, created_at desc);
create index transfers_to on transfers (to_id, created_at desc);

update posts set body = replace(body, '가입은 없습니다.', '가입하지 않아도 쓸 수 있습니다.')
where title = '이 게시판을 쓰는 법' and owner_id is null;
