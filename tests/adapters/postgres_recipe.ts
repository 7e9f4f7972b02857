/** A database with about everything that PostgreSQL has: for conformance and for round trips. */

/** SQL that fills an empty database. */
export const RICH = `
create table account (id int primary key, balance bigint not null check (balance > -100000));
insert into account select n, 1000 from generate_series(1, 300) n;
create type mood as enum ('sad', 'it''s "fine"', 'zwölf');
create domain positive as int check (value > 0);
create type pair as (a int, b text);
create table note (
  body text, weight float8, raw bytea, doc jsonb, plain json, tags text[], grid int[][], feeling mood, small positive,
  two pair, exact numeric, at timestamptz, "day" date, took interval, id uuid, net inet, span int4range,
  bits bit varying, money money, "Odd ""Name" int, unique (body)
);
insert into note values
  (E'it''s "quoted"\\ttab\\nnew\\\\line \\\\. end', 1.5, '\\x00ff5c0a', '{"a": [1, null, "ü"]}', '{"b":  1, "b": 2}', '{a,NULL,"c d"}',
   '{{1,2},{3,4}}', 'it''s "fine"', 7, '(1,"x,y")', 123456789012345678901234567890.000000001, '2024-02-29 23:59:59.999999+05:30',
   'infinity', '1 year 2 mons 3 days 04:05:06.789', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', '10.1.2.3/8', '[1,5)', B'101', 12.5, 1),
  (null, 'NaN', null, null, null, null, null, null, null, null, 'NaN', '-infinity', '0044-03-15 BC', null, null, null, 'empty', null, null, null),
  ('', '-Infinity', '', '[]', '""', '{}', '{}', 'zwölf', 1, '(,)', -1e-30, null, null, '0', null, '::1', null, B'', null, -1),
  (E'\\\\.', 1e-300, '\\x', 'null', 'null', '{"\\\\."}', null, 'sad', 2147483647, null, 0, 'epoch', '9999-12-31', null, null, null, '(,)', null, null, null);
insert into note (tags) select array[repeat('long ü ', 200000)];
create table log (at bigint generated always as identity, what text, twice text generated always as (what || what) stored);
insert into log (what) select 'entry ' || n || repeat('x', 100) from generate_series(1, 3000) n;
create sequence "free Seq" start 5 increment 7;
select nextval('"free Seq"');
create view heavy as select body from note where weight > 1;
create view "heavier" as select upper(body) as big from heavy;
create materialized view counted as select count(*) as n from log;
create function add(a int, b int) returns int language sql immutable as 'select a + b';
create procedure work() language plpgsql as $$
begin
COMMIT;
end $$;
create function stamp() returns trigger language plpgsql as $$ begin new.what := coalesce(new.what, 'none'); return new; end $$;
create trigger stamped before insert on log for each row execute function stamp();
create index note_weight on note (weight) where weight is not null;
create index log_what on log using gin (to_tsvector('simple', what));
create table event (day date, what text) partition by range (day);
create table event_old partition of event for values from (minvalue) to ('2024-01-01');
create table event_new partition of event for values from ('2024-01-01') to (maxvalue);
insert into event select date '2023-12-01' + n, 'day ' || n from generate_series(1, 60) n;
create schema "Odd ""Schema";
create table "Odd ""Schema"."Table, with a
break" ("COPY" text);
insert into "Odd ""Schema"."Table, with a
break" values ('COMMIT;'), (E'\\n\\\\.\\n');
create table hen (id int primary key, egg int);
create table egg (id int primary key, hen int references hen);
insert into hen values (1, 1); insert into egg values (1, 1);
alter table hen add foreign key (egg) references egg deferrable initially deferred;
create table empty ();
create table secret (owner name, value text);
alter table secret enable row level security;
create policy own on secret using (owner = current_user);
comment on table note is 'COMMIT;
COPY public.note (body) FROM stdin;
';
select lo_from_bytea(4711, '\\xdeadbeef0a');
select lo_from_bytea(4712, convert_to(repeat('large ', 100000), 'UTF8'));
comment on large object 4711 is 'a large object';
alter default privileges in schema public grant select on tables to public;
grant select on note to public;
create statistics note_stats on body, weight from note;
create rule quiet as on delete to egg do instead nothing;
create publication everything for all tables;
`;
