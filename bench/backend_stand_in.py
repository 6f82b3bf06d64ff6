"""What bench/backend puts beside framewall-backend: the same two requests in FastAPI, over a copy
of the backend's own database.

It does what the backend does for them and no more: verifies the access token (RS256; each one
once), looks up that the user is a member of the room, lists fifty messages with their authors, or
takes the next number and stores a message (the full-text index by the schema's triggers) with
synchronous=FULL. Handlers run on the event loop: a thread for each costs more.

    STAND_IN_DATABASE=copy.db STAND_IN_KEYS=jwks.json uvicorn backend_stand_in:app
"""

import base64
import json
import os
import secrets
import sqlite3
import time
import uuid
from datetime import datetime, timezone
from typing import Optional

import jwt
from fastapi import FastAPI, Header, HTTPException, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

PAGE = 50

keys = {key["kid"]: jwt.PyJWK(key).key
        for key in json.load(open(os.environ["STAND_IN_KEYS"]))["keys"]}
tokens = {}  # those that were verified: user and end

database = sqlite3.connect(os.environ["STAND_IN_DATABASE"], isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA synchronous = FULL")
database.execute("PRAGMA foreign_keys = ON")

app = FastAPI()


class NewMessage(BaseModel):
    text: str = Field(min_length=1, max_length=8192)
    client_id: Optional[str] = Field(default=None, min_length=1, max_length=64)

    class Config:
        extra = "forbid"


def user_of(authorization):
    token = authorization.removeprefix("Bearer ")
    known = tokens.get(token)
    if known is None:
        try:
            key = keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(token, key, algorithms=["RS256"], audience="framewall")
        except (jwt.PyJWTError, KeyError):
            raise HTTPException(401)
        known = tokens[token] = (claims["sub"], claims["exp"])
    if known[1] < time.time():
        raise HTTPException(401)
    return known[0]


def require_member(room, user):
    row = database.execute(
        "SELECT state FROM rooms JOIN members ON members.room = rooms.id AND members.user = ? "
        "WHERE rooms.id = ? AND deleted IS NULL", (user, room)).fetchone()
    if row is None or row[0] == "invited":
        raise HTTPException(404)


def rfc3339(milliseconds):
    text = datetime.fromtimestamp(milliseconds / 1000, timezone.utc).isoformat(
        timespec="milliseconds")
    return text.replace("+00:00", "Z")


COLUMNS = """messages.public_id, number, messages.role, text, state, messages.created, edited, client_id,
             users.id, users.name, users.display_name
             FROM messages LEFT JOIN users ON users.id = messages.author"""


def message(room, row):
    told = {"id": row[0], "room": room, "number": row[1], "role": row[2],
            "author": {"id": row[8], "name": row[9], "display_name": row[10]},
            "text": row[3], "state": row[4], "created": rfc3339(row[5])}
    if row[6] is not None:
        told["edited"] = rfc3339(row[6])
    if row[7] is not None:
        told["client_id"] = row[7]
    return told


def new_id():
    octets = bytearray(int(time.time() * 1000).to_bytes(6, "big") + secrets.token_bytes(10))
    octets[6] = octets[6] & 0x0F | 0x70
    octets[8] = octets[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(octets)))


@app.get("/api/v1/rooms/{room}/messages")
async def list_messages(room: str, limit: int = Query(PAGE, ge=1, le=200),
                        cursor: Optional[str] = None, authorization: str = Header()):
    require_member(room, user_of(authorization))
    before = int(base64.urlsafe_b64decode(cursor)) if cursor else 1 << 62
    rows = database.execute(
        f"SELECT {COLUMNS} WHERE room = ? AND number < ? ORDER BY number DESC LIMIT ?",
        (room, before, limit + 1)).fetchall()
    end = None
    if len(rows) > limit:
        end = base64.urlsafe_b64encode(str(rows[limit - 1][1]).encode()).decode()
    # Straight to JSON: FastAPI's own way through pydantic costs several times as much.
    return JSONResponse({"items": [message(room, row) for row in rows[:limit]], "next": end})


@app.post("/api/v1/rooms/{room}/messages", status_code=201)
async def create_message(room: str, body: NewMessage, authorization: str = Header()):
    user = user_of(authorization)
    database.execute("BEGIN IMMEDIATE")
    try:
        require_member(room, user)
        number = database.execute(
            "UPDATE rooms SET last_number = last_number + 1 WHERE id = ? RETURNING last_number",
            (room,)).fetchone()[0]
        public_id, now = new_id(), int(time.time() * 1000)
        database.execute(
            "INSERT INTO messages (public_id, room, number, author, role, client_id, text, created,"
            " changed) VALUES (?, ?, ?, ?, 'user', ?, ?, ?, ?)",
            (public_id, room, number, user, body.client_id, body.text, now, now))
        row = database.execute(f"SELECT {COLUMNS} WHERE room = ? AND number = ?",
                               (room, number)).fetchone()
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise
    return JSONResponse(message(room, row), 201,
                        {"Location": f"/api/v1/rooms/{room}/messages/{number}"})
