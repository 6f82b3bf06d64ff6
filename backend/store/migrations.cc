#include "backend/store/migrations.h"

#include <array>

namespace framewall::backend::store {
namespace {

// Times are milliseconds since 1970, ids are UUIDs as text.
constexpr std::string_view kInitial = R"sql(
CREATE TABLE users (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,              -- lower case
  display_name TEXT NOT NULL,
  password TEXT NOT NULL,                 -- crypt(3)
  must_change_password INTEGER NOT NULL DEFAULT 0,
  role TEXT NOT NULL CHECK (role IN ('user', 'admin')),
  locked INTEGER NOT NULL DEFAULT 0,
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL
) STRICT;

-- A session is a family of refresh tokens, each used once.
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  user TEXT NOT NULL REFERENCES users (id),
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  last_used INTEGER NOT NULL,
  address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  ended INTEGER,
  end_reason TEXT                         -- logout, reuse, password, lock, role, expired
) STRICT;
CREATE INDEX sessions_user ON sessions (user) WHERE ended IS NULL;
CREATE INDEX sessions_ended ON sessions (ended) WHERE ended IS NOT NULL;

CREATE TABLE refresh_tokens (
  hash BLOB PRIMARY KEY,                  -- SHA-256
  session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  created INTEGER NOT NULL,
  used INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_session ON refresh_tokens (session);

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  user TEXT NOT NULL REFERENCES users (id),
  name TEXT NOT NULL,
  hash BLOB NOT NULL UNIQUE,              -- SHA-256 of the whole key
  hint TEXT NOT NULL,                     -- its first characters, to tell keys apart
  service INTEGER NOT NULL DEFAULT 0,
  scopes TEXT NOT NULL,                   -- separated by spaces
  created INTEGER NOT NULL,
  expires INTEGER,
  last_used INTEGER,
  revoked INTEGER
) STRICT;
CREATE INDEX api_keys_user ON api_keys (user);

CREATE TABLE login_audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  name TEXT NOT NULL,
  user TEXT,
  address TEXT NOT NULL,
  outcome TEXT NOT NULL
) STRICT;
CREATE INDEX login_audit_at ON login_audit (at);
CREATE INDEX login_audit_user ON login_audit (user, id);
-- Where did this one log in from? However many failures there are besides.
CREATE INDEX login_audit_success ON login_audit (user, address, at) WHERE outcome = 'success';

-- Rooms of several people, and conversations of one with a model.
CREATE TABLE rooms (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('room', 'conversation')),
  name TEXT NOT NULL,
  owner TEXT NOT NULL REFERENCES users (id),
  visibility TEXT NOT NULL CHECK (visibility IN ('public', 'private')),
  assistant TEXT,                         -- the model that answers here
  last_number INTEGER NOT NULL DEFAULT 0, -- of its messages
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  deleted INTEGER
) STRICT;
CREATE INDEX rooms_owner ON rooms (owner, kind, id) WHERE deleted IS NULL;
CREATE INDEX rooms_deleted ON rooms (deleted) WHERE deleted IS NOT NULL;
CREATE INDEX rooms_public ON rooms (id) WHERE deleted IS NULL AND visibility = 'public';

CREATE TABLE members (
  room TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  user TEXT NOT NULL REFERENCES users (id),
  state TEXT NOT NULL CHECK (state IN ('invited', 'member', 'owner')),
  invited_by TEXT REFERENCES users (id),
  since INTEGER NOT NULL,
  PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_user ON members (user, room);

CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  room TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,                -- 1, 2, 3 … in its room
  author TEXT REFERENCES users (id),      -- null: the assistant
  asked_by TEXT REFERENCES users (id),    -- of an assistant's: whose cost it is
  role TEXT NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
  model TEXT,                             -- of an assistant's
  client_id TEXT,                         -- the sender's, for sending it again
  text TEXT NOT NULL,                     -- empty once deleted
  state TEXT NOT NULL DEFAULT 'whole' CHECK (state IN ('whole', 'cut', 'failed')),
  created INTEGER NOT NULL,
  edited INTEGER,
  deleted INTEGER,
  changed INTEGER NOT NULL                -- the last of these, or an answer's saving
) STRICT;
CREATE UNIQUE INDEX messages_number ON messages (room, number);
CREATE UNIQUE INDEX messages_client ON messages (room, author, client_id) WHERE client_id IS NOT NULL;

-- ё is found by е and the other way round. `room` is one word, so that a search reads only the
-- postings of the rooms that it may.
CREATE VIRTUAL TABLE messages_text USING fts5 (
  text, room, content = '', tokenize = 'unicode61 remove_diacritics 2');
CREATE TRIGGER messages_text_insert AFTER INSERT ON messages BEGIN
  INSERT INTO messages_text (rowid, text, room)
  VALUES (new.id, replace(replace(new.text, 'ё', 'е'), 'Ё', 'Е'), replace(new.room, '-', ''));
END;
CREATE TRIGGER messages_text_update AFTER UPDATE OF text ON messages BEGIN
  INSERT INTO messages_text (messages_text, rowid, text, room)
  VALUES ('delete', old.id, replace(replace(old.text, 'ё', 'е'), 'Ё', 'Е'), replace(old.room, '-', ''));
  INSERT INTO messages_text (rowid, text, room)
  VALUES (new.id, replace(replace(new.text, 'ё', 'е'), 'Ё', 'Е'), replace(new.room, '-', ''));
END;
CREATE TRIGGER messages_text_delete AFTER DELETE ON messages BEGIN
  INSERT INTO messages_text (messages_text, rowid, text, room)
  VALUES ('delete', old.id, replace(replace(old.text, 'ё', 'е'), 'Ё', 'Е'), replace(old.room, '-', ''));
END;

CREATE TABLE usage (
  user TEXT NOT NULL REFERENCES users (id),
  day TEXT NOT NULL,                      -- 2026-11-21, UTC
  model TEXT NOT NULL,
  requests INTEGER NOT NULL DEFAULT 0,
  prompt_tokens INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (user, day, model)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_day ON usage (day, user, model);

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,                    -- JSON
  changed INTEGER NOT NULL,
  changed_by TEXT NOT NULL REFERENCES users (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings_audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  key TEXT NOT NULL,
  user TEXT NOT NULL REFERENCES users (id),
  before TEXT,                            -- null: the default
  after TEXT
) STRICT;
CREATE INDEX settings_audit_key ON settings_audit (key, id);

-- What was answered to a request that may come again (Idempotency-Key).
CREATE TABLE idempotency (
  user TEXT NOT NULL REFERENCES users (id),
  key TEXT NOT NULL,
  operation TEXT NOT NULL,
  request BLOB NOT NULL,                  -- SHA-256 of the body
  status INTEGER NOT NULL,
  body TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (user, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created);
)sql";

constexpr std::array kMigrations = {Migration{1, "initial", kInitial}};

}  // namespace

std::span<const Migration> Migrations() { return kMigrations; }

}  // namespace framewall::backend::store
