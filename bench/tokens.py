"""RS256 tokens and their key set for bench/edge: openssl's command line makes the key, Python's
integers the signatures, in some ten milliseconds each."""

import base64
import hashlib
import json
import re
import subprocess
import time

# DigestInfo of SHA-256 (RFC 8017 9.2).
PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


def text(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Issuer:
    def __init__(self):
        pem = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, check=True).stdout
        shown = subprocess.run(["openssl", "rsa", "-noout", "-text"], input=pem,
                               capture_output=True, check=True).stdout.decode()

        def number(name):
            digits = re.search(name + r":\s*((?:\s+[0-9a-f:]+\n)+)", shown).group(1)
            return int(re.sub(r"[^0-9a-f]", "", digits), 16)

        self.modulus, exponent = number("modulus"), number("privateExponent")
        self.p, self.q = number("prime1"), number("prime2")
        self.dp, self.dq = exponent % (self.p - 1), exponent % (self.q - 1)
        self.inverse = pow(self.q, -1, self.p)

    def key_set(self):
        return json.dumps({"keys": [{"kty": "RSA", "kid": "k1", "alg": "RS256", "use": "sig",
                                     "n": text(self.modulus.to_bytes(256, "big")), "e": "AQAB"}]})

    def sign(self, octets):
        digest = PREFIX + hashlib.sha256(octets).digest()
        padded = int.from_bytes(b"\0\1" + b"\xff" * (253 - len(digest)) + b"\0" + digest, "big")
        a, b = pow(padded, self.dp, self.p), pow(padded, self.dq, self.q)
        return (b + self.q * (self.inverse * (a - b) % self.p)).to_bytes(256, "big")

    def token(self, number):
        header = {"alg": "RS256", "kid": "k1", "typ": "at+jwt"}
        claims = {"iss": "https://id.example.com/", "sub": f"user-{number}",
                  "aud": "https://api.example.com", "exp": int(time.time()) + 86400,
                  "scope": "read write profile"}
        signed = ".".join(text(json.dumps(part).encode()) for part in (header, claims))
        return signed + "." + text(self.sign(signed.encode()))


def wrk_script(tokens):
    """Each request with the next token."""
    listed = ",".join(f'"Bearer {token}"' for token in tokens)
    return f"""local tokens, i = {{{listed}}}, 0
request = function()
  i = i % #tokens + 1
  return wrk.format("GET", nil, {{["Authorization"] = tokens[i]}})
end
"""
