#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""differential-mime.py - random MIME messages, and what Python's email package reads in them.

    differential-mime.py make SEED COUNT FOLDER     writes FOLDER/0001.eml ...
    differential-mime.py read FILE ...              prints a line for each thing that a person could open:
                                                    FILE <tab> sha256 or host <tab> VALUE, or several with '|' <tab> what it is
    differential-mime.py compare FOUND SAID FILE... FILE: what other readers print; FOUND: what vtmilterctl --json extract
                                                    prints, SAID: what it says about messages that read in several ways.
                                                    Prints what is neither found nor said; exit status 1 if there is any.
"""
import base64
import binascii
import email
import email.policy
import hashlib
import json
import os
import quopri
import random
import re
import sys

HOST = re.compile(rb'http://(h[0-9]+\.example\.com)/')
TEXT = ('text/plain', 'text/html')

# Known differences: the reader, a regular expression for what it is, and why it does not count.
KNOWN = [
    ('python3', r' in \S+ +$', 'blanks after the name of an encoding make it another one for Python, but for no mail program'),
    ('perl', r'x-unparseable-multipart', 'a multipart that Perl gives up on: nobody opens all of it as a file'),
]


# ---- making ----

def fold(r, text):
    return text.replace('; ', r.choice(['; ', ';', ';\r\n ', ' ;\r\n\t']))


def word(r, text):
    return r.choice([text, text.upper(), text.title()])


def quoted(r, value):
    return r.choice([value, '"%s"' % value]) if re.fullmatch(r'[A-Za-z0-9._-]+', value) else '"%s"' % value


def encode(r, data):
    """An encoding, and the data in it."""
    how = r.choice(['none', 'none', 'base64', 'base64', 'qp', 'uu', 'odd'])
    if how == 'base64':
        text = base64.b64encode(data).decode()
        n = r.choice([76, 76, 60, 4, 7, 1000])
        lines = [text[i:i + n] for i in range(0, len(text), n)]
        if r.random() < 0.2:    # the padding is missing
            lines[-1] = lines[-1].rstrip('=')
        if r.random() < 0.1:    # more groups after the padding
            lines.append(base64.b64encode(b'tail').decode())
        if r.random() < 0.15:   # a character that does not belong there
            i = r.randrange(len(lines))
            at = r.randrange(len(lines[i]) + 1)
            lines[i] = lines[i][:at] + r.choice(['!', ' ', '-', '=', '\t', '.']) + lines[i][at:]
        return r.choice(['base64', 'Base64', ' base64 ', 'base64 (c)', 'BASE64;', '"base64"']), '\r\n'.join(lines) + '\r\n'
    if how == 'qp':
        text = quopri.encodestring(data).decode('latin-1').replace('\n', '\r\n')
        return r.choice(['quoted-printable', 'Quoted-Printable', 'quoted-printable;']), text
    if how == 'uu':
        lines = [binascii.b2a_uu(data[i:i + 45]).decode().rstrip('\n') for i in range(0, len(data), 45)]
        if r.random() < 0.2:
            i = r.randrange(len(lines))
            lines[i] += '  zzz'
        return r.choice(['x-uuencode', 'uuencode', 'x-uue']), 'begin 644 a.bin\r\n' + '\r\n'.join(lines) + '\r\n`\r\nend\r\n'
    text = data.decode('latin-1')
    if how == 'odd':
        return r.choice(['8-bit', 'binary', 'x-nothing', '7bit, 8bit', '']), text
    return r.choice([None, '7bit', '8bit']), text


def attachment(r, n):
    data = b'PAYLOAD %d ' % n + bytes(r.choice(b'abcdefgh -=\t') for _ in range(r.randrange(90))) + b'.'
    name = 'f%d.%s' % (n, r.choice(['exe', 'bin', 'doc', 'js']))
    kind = r.choice(['application/octet-stream', 'application/x-msdownload', 'image/png', 'text/plain', 'audio/x-a'])
    header = []
    where = r.choice(['disposition', 'disposition', 'type', 'both', 'pieces', 'lost'])
    if where in ('type', 'both'):
        kind += '; name=' + quoted(r, name)
    if r.random() < 0.9 or where == 'type':
        header.append('%s: %s' % (word(r, 'Content-Type'), fold(r, kind)))
    disposition = {
        'pieces': "attachment; filename*0*=utf-8''%s; filename*1=%s" % (name[:3], name[3:]),
        'lost': 'inline; x; filename="%s"' % name, 'type': r.choice(['attachment', 'inline']),
    }.get(where, r.choice(['attachment', 'Attachment', 'inline']) + '; filename=' + quoted(r, name))
    header.append('%s: %s' % (word(r, 'Content-Disposition'), fold(r, disposition)))
    return header, data


def text(r, n):
    host = 'h%d.example.com' % n
    if r.random() < 0.5:
        return [fold(r, 'Content-Type: text/html; charset=utf-8')], b'<a href="http://%s/">link</a>\r\n' % host.encode()
    header = [fold(r, 'Content-Type: text/plain; charset=us-ascii')] if r.random() < 0.8 else []
    return header, b'go to http://%s/ now\r\n' % host.encode()


class Maker:
    def __init__(self, r):
        self.r, self.n = r, 0

    def leaf(self):
        r = self.r
        self.n += 1
        header, data = (attachment if r.random() < 0.6 else text)(r, self.n)
        encoding, body = encode(r, data)
        if encoding is not None:
            header.append('Content-Transfer-Encoding: ' + encoding)
        if r.random() < 0.05:
            header.append('Content-Transfer-Encoding: ' + r.choice(['7bit', 'base64']))
        r.shuffle(header)
        return header, body

    def multipart(self, depth):
        r = self.r
        boundary = ''.join(r.choice('abcdefghijklmnopqrstuvwxyzABCDEF0123456789') for _ in range(r.choice([1, 5, 12, 40])))
        boundary = r.choice(['', '', '=_', '----', "'", 'a b:']) + boundary
        other = 'z' + boundary
        parameter = r.choice(['boundary="%s"' % boundary] * 6 + [
            'boundary=' + quoted(r, boundary), 'x=y; boundary="%s"' % boundary, 'boundary="%s"; boundary="%s"' % (boundary, other),
            'boundary="%s"; boundary="%s"' % (other, boundary), 'boundary*0="%s"; boundary*1="%s"' % (boundary[:1], boundary[1:]),
            'x; boundary="%s"' % boundary])
        kind = r.choice(['mixed', 'mixed', 'alternative', 'related', 'x-new', 'digest', 'signed'])
        text = [r.choice(['', '', 'preamble\r\n', '\r\n'])]
        for _ in range(r.randrange(1, 4)):
            text.append('--' + boundary + r.choice(['', '', '', ' ', '\t']) + '\r\n')
            text.append(self.entity(depth + 1) + '\r\n')
        text.append(r.choice(['--%s--\r\n' % boundary] * 6 + ['', '--%s\r\n' % boundary, '--%s-- \r\n' % boundary]))
        text.append(r.choice(['', '', '', 'epilogue\r\n', '\r\n--%s\r\n\r\nhttp://h%d.example.com/\r\n' % (boundary, 9000 + self.n)]))
        header = [fold(r, '%s: multipart/%s; %s' % (word(r, 'Content-Type'), kind, parameter))]
        if r.random() < 0.05:
            header.append('Content-Type: text/plain')
        return header, ''.join(text)

    def entity(self, depth):
        r = self.r
        if depth < 3 and r.random() < (0.9 if depth == 0 else 0.3):
            header, body = self.multipart(depth)
        elif depth < 3 and r.random() < 0.15:
            header, body = ['Content-Type: message/rfc822'], 'Subject: x\r\n' + self.entity(depth + 1)
        else:
            header, body = self.leaf()
        return '\r\n'.join(header) + ('\r\n\r\n' if header else '\r\n') + body


def make(seed, count, folder):
    for i in range(1, count + 1):
        maker = Maker(random.Random('%s %d' % (seed, i)))
        mail = 'From: a@example.org\r\nSubject: %s %d\r\nMIME-Version: 1.0\r\n' % (seed, i) + maker.entity(0)
        mail = re.sub(r'(MIME-Version: 1.0\r\n)\r\n(?!\r\n)(?=Content-)', r'\1', mail)
        if maker.r.random() < 0.1:
            mail = mail.replace('\r\n', '\n')
        with open(os.path.join(folder, '%05d.eml' % i), 'wb') as f:
            f.write(mail.encode('latin-1'))


# ---- reading ----

def things(part):
    data = part.get_payload(decode=True) or b''
    kind, encoding = part.get_content_type(), part.get('Content-Transfer-Encoding', '7bit')
    if not data.strip():
        return
    # base64 that Python cannot decode is for it the encoded text, its lines joined: nobody opens that
    if encoding.lower() == 'base64' and data == ''.join(part.get_payload().splitlines()).encode('ascii', 'surrogateescape'):
        return
    if part.get_content_maintype() == 'multipart':   # without parts: shown as text
        kind = 'text/plain'
    if kind not in TEXT or part.get_filename() or part.get_content_disposition() == 'attachment':
        # a message has CR LF when it comes from the MTA, and vtmilterctl reads it so
        crlf = re.sub(rb'\r?\n', b'\r\n', data)
        yield 'sha256', '|'.join(hashlib.sha256(d).hexdigest() for d in (data, crlf)), '%s %s in %s' % (kind, part.get_filename(), encoding)
    else:
        for host in HOST.findall(data):
            yield 'host', host.decode(), '%s in %s' % (kind, encoding)


def read(files):
    for name in files:
        with open(name, 'rb') as f:
            message = email.message_from_bytes(f.read(), policy=email.policy.compat32)
        for part in message.walk():
            if not part.is_multipart():
                for thing in things(part):
                    print(name, *thing, sep='\t')


# ---- comparing ----

def compare(found_by_us, said_by_us, others):
    found, said = set(), set()
    with open(found_by_us) as f:
        for line in f:
            item = json.loads(line)
            found.add((item['file'], item.get('sha256') or item.get('host')))
    with open(said_by_us, errors='replace') as f:
        for line in f:
            said.update(re.findall(r'[^ :]+\.eml', line))
    total = missed = 0
    for name in others:
        reader = os.path.basename(name)
        with open(name, errors='replace') as f:
            for line in f:
                file, kind, value, what = line.rstrip('\n').split('\t', 3)
                total += 1
                if file in said or any((file, v) in found for v in value.split('|')):
                    continue
                if any(reader == r and re.search(pattern, what) for r, pattern, _ in KNOWN):
                    continue
                missed += 1
                print('%s: %s finds %s %s (%s)' % (file, reader, kind, value, what))
    print('%d things, %d messages said to be ambiguous, %d neither found nor said' % (total, len(said), missed))
    return missed > 0 or not total


if __name__ == '__main__':
    if sys.argv[1] == 'make':
        make(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    elif sys.argv[1] == 'read':
        read(sys.argv[2:])
    else:
        sys.exit(compare(sys.argv[2], sys.argv[3], sys.argv[4:]))
