// SPDX-License-Identifier: BSD-2-Clause
// Reads lines of JSON, [FILE, REFERENCE, BASE], and prints FILE and the URL as the URL standard has it, without fragment.
const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter(Boolean);
for (const line of lines) {
	const [file, reference, base] = JSON.parse(line);
	let url;
	try {
		url = new URL(reference, base);
	} catch (e) {
		continue;
	}
	if (!/^https?:$/.test(url.protocol) || reference.trim().startsWith('#'))
		continue;
	url.hash = '';
	let text = url.href;
	// ours keeps "?" with nothing behind it and drops the final dot of a name
	text = text.replace(/^(https?:\/\/(?:[^/@]*@)?[^/:]+)\.(?=[:/])/, '$1').replace(/#$/, '');
	console.log(file + '\t' + text);
}
