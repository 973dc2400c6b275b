#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Random pages from a seed, and what other readers find in them.

    differential-links.py make-pages SEED COUNT DIR    messages with an HTML page each
    differential-links.py read-pages FILE...           what html5lib finds: FILE, URL
    differential-links.py make-urls SEED COUNT DIR     messages with a base and a link each; LIST names them for node
    differential-links.py compare FOUND DOUBTS OTHER   exits 1 if OTHER has a URL that is neither found nor doubted
    differential-links.py names FOUND                  character references: FOUND is an extract of the page made by
    differential-links.py make-names DIR

t/shell/t0826-differential-links.sh runs it.
"""
import html.entities
import json
import os
import random
import re
import sys
import urllib.parse

# Known differences: the reader, a regular expression for FILE's page or URL, and why it does not count.
KNOWN = [
    ('node', r'%00', 'a NUL byte in a URL is no URL for us; VirusTotal refuses it, too'),
    ('node', r'^https?://[^/]*%', 'an escape that stays in a host: no resolver takes that name'),
    ('node', r'^https?://[^/]*\.[./:]', 'an empty label: no resolver takes that name'),
    ('node', r'^https?://[^/]*xn--', 'names that IDNA 2003 and UTS 46 map in different ways'),
]

NAMES = 800     # in a page: a message has at most 1,000 items

HEAD = ('From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n'
        'Content-Transfer-Encoding: 8bit\r\n\r\n')


def write(directory, number, text):
    with open(os.path.join(directory, '%05d.eml' % number), 'wb') as f:
        f.write(HEAD.encode() + text.encode('utf-8', 'surrogatepass'))


# ---- pages ----

RAW = ['title', 'style', 'script', 'textarea', 'iframe', 'noembed', 'noframes', 'xmp', 'noscript', 'template', 'select']
FOREIGN = ['svg', 'math', 'foreignObject', 'desc', 'mi', 'mtext', 'annotation-xml', 'g']
PLAIN = ['p', 'div', 'b', 'table', 'tr', 'td', 'a', 'ul', 'li', 'span', 'body', 'head', 'html', 'br', 'img']


def piece(r, n):
    """A piece of a page; <n> numbers its link."""
    url = 'http://h%d.example.com/' % n
    name = r.choice(RAW + FOREIGN + PLAIN)
    return r.choice([
        lambda: '<a href="%s">x</a>' % url,
        lambda: "<a href='%s'>" % url,
        lambda: '<a title="%s" href=%s>' % (r.choice(['x', '<b>', '</%s>' % name, '-->', ']]>', '>']), url),
        lambda: '<area href="%s">' % url,
        lambda: '<form action="%s">' % url,
        lambda: '<a/href="%s"/>' % url,
        lambda: '<%s>' % name,
        lambda: '<%s/>' % name,
        lambda: '</%s>' % name,
        lambda: '<%s><a href="%s">x</a></%s>' % (name, url, name),
        lambda: r.choice(['<!--', '-->', '<!-->', '--!>', '<![CDATA[', ']]>', '<!x', '<?x', '</ ', '"', "'", '>', '<', '\0']),
        lambda: '<!-- %s -->' % r.choice(['x', '<a href="%s">' % url, '>', '--']),
        lambda: '<![CDATA[%s]]>' % r.choice(['x', '>', '<a href="%s">' % url, '<%s>' % name]),
        lambda: 'text &amp; more',
    ])()


def make_pages(seed, count, directory):
    for i in range(count):
        r = random.Random('%s/%d' % (seed, i))
        write(directory, i, ''.join(piece(r, i * 20 + n) for n in range(r.randint(2, 14))) + '\r\n')


def page_of(path):
    return open(path, 'rb').read().split(b'\r\n\r\n', 1)[1].decode('utf-8', 'replace')


def read_pages(files):
    import html5lib
    for path in files:
        for element in html5lib.parse(page_of(path), treebuilder='etree', namespaceHTMLElements=False).iter():
            for name, value in element.attrib.items():
                if (name if isinstance(name, str) else name[-1]).split('}')[-1] in ('href', 'action'):
                    url = value.strip()
                    if re.fullmatch(r'http://h\d+\.example\.com/', url):
                        print('%s\t%s' % (path, url))


# ---- URLs ----

def random_url(r):
    scheme = r.choice(['http://', 'https://', 'HTTP://', 'http:/', 'http:', 'http:\\\\', 'https:///', '//', '', '\\\\', ' http://'])
    user = r.choice(['', '', '', '', 'u@', 'u:p@', '@', 'a@b@'])
    host = r.choice(['example.com', 'EXAMPLE.com', 'a.b.example.com', 'ex%61mple.com', '192.0.2.1', '0xc0000201', '3221225985',
                     '0300.0.2.1', '[2001:db8::1]', '[::ffff:192.0.2.1]', 'a_b.example.com', "a'b.example.com", 'a{b}.example.com',
                     'example.com.', 'exa\tmple.com', '192.0.2.256', '1.2.3', 'b\u00fccher.example', '\uff45xample.com', 'a~b.example.com'])
    port = r.choice(['', '', '', ':', ':80', ':443', ':8080', ':0080', ':65536', ':x'])
    path = r.choice(['', '/', '/a/b', '/a/../b', '/./a', '/a/%2e%2E/b', '\\a\\b', '/a b', '/..', '/a//b', '?x', '/?x=/../y', '#f', '/a?b#c',
                     '/\u00e9', '/%zz', '/a;b=c', 'x/y', '../x', './', '/a/.', '?', '/a?'])
    return scheme + user + host + port + path if scheme or r.random() < 0.2 else path


def make_urls(seed, count, directory):
    """The list has a line each: the base and the reference, as JSON."""
    with open(os.path.join(directory, 'list'), 'w', encoding='utf-8') as out:
        for i in range(count):
            r = random.Random('%s/%d' % (seed, i))
            base, reference = r.choice(['http://base.example.org/d/e?f', 'https://base.example.org:8443/']), random_url(r)
            escape = lambda s: s.replace('&', '&amp;').replace('"', '&quot;')
            write(directory, i, '<base href="%s"><a href="%s">x</a>\r\n' % (escape(base), escape(reference)))
            out.write(json.dumps([os.path.join(directory, '%05d.eml' % i), reference, base]) + '\n')


def loose(url):
    """A URL with its path and query unescaped: browsers escape more characters than we do, and the server sees no difference."""
    m = re.match(r'(https?://[^/]*)(.*)$', url, re.S)
    return m.group(1).lower() + urllib.parse.unquote_to_bytes(m.group(2)).decode('latin-1') if m else url


# ---- names ----

def make_names(directory):
    names = sorted(n[:-1] for n in html.entities.html5 if n.endswith(';'))
    for i in range(0, len(names), NAMES):
        write(directory, i, ''.join('<a href="http://n.example.com/%s/x&%s;y">z</a>\r\n' % (n, n) for n in names[i:i + NAMES]))


def names(found):
    have = {json.loads(line).get('url') for line in open(found)}
    missing = 0
    for name, value in sorted(html.entities.html5.items()):
        if not name.endswith(';'):
            continue
        path = 'x' + value + 'y'
        path = re.sub('[\t\n]', '', path).replace('\\', '/')
        if '?' in path or '#' in path:
            path = path.split('#')[0]
        path = ''.join(c if 0x20 < ord(c) < 0x7f else urllib.parse.quote(c).replace('%7E', '~') for c in path)
        if 'http://n.example.com/%s/%s' % (name[:-1], path) not in have:
            print('# &%s' % name)
            missing += 1
    return missing


# ---- comparing ----

def compare(found, doubts, other):
    have, bad = {}, 0
    for line in open(found):
        item = json.loads(line)
        have.setdefault(item['file'], set()).add(loose(item.get('url') or item.get('inside_url') or ''))
    doubted = open(doubts, errors='replace').read()
    reader = os.path.basename(other)
    for line in open(other, encoding='utf-8', errors='replace'):
        path, url = line.rstrip('\n').split('\t', 1)
        if loose(url) in have.get(path, ()) or path in doubted:
            continue
        if any(k[0] == reader and re.search(k[1], url) for k in KNOWN):
            continue
        bad += 1
        if bad <= 10:
            print('# %s: %s\n#   %s' % (os.path.basename(path), url, ascii(page_of(path).strip())))
    return bad


def main(a):
    if a[0] == 'make-pages':
        make_pages(a[1], int(a[2]), a[3])
    elif a[0] == 'read-pages':
        read_pages(a[1:])
    elif a[0] == 'make-urls':
        make_urls(a[1], int(a[2]), a[3])
    elif a[0] == 'make-names':
        make_names(a[1])
    elif a[0] == 'names':
        return names(a[1]) > 0
    else:
        return compare(*a[1:]) > 0
    return 0


sys.exit(main(sys.argv[1:]))
