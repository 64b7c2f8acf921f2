// A node of IPFS and a pinning service for tests, over real HTTP. What they do with blocks is done by the libraries of
// the JavaScript implementation of IPFS; how they answer is from the published descriptions of Kubo's RPC and of the
// Pinning Service API 1.0. Everything is in memory. `/test/...` is for the tests themselves.
import { createServer } from 'node:http';
import { CarBlockIterator } from '@ipld/car';
import { MemoryBlockstore } from 'blockstore-core';
import { exporter, recursive } from 'ipfs-unixfs-exporter';
import { importer } from 'ipfs-unixfs-importer';
import { Decrypter, Encrypter } from 'age-encryption';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { sha256 } from 'multiformats/hashes/sha2';
import * as dagPb from '@ipld/dag-pb';

const TOKEN = 'the token of the tests';
const store = new MemoryBlockstore();
/** What is in the store, as base32 of the multihash. */
const names = new Map();
const pins = new Set();
const requests = new Map();
/** How many looks a service needs until it has fetched something. */
let patience = 2;
/** What is to go wrong: { path, method, status, headers, body, count, skip, silent }. */
let faults = [];
let log = [];
/** What the RPC wants to be told, as a header; nothing as long as this is empty. */
let login = '';
let nextRequest = 1;

const json = (res, status, value, headers = {}) => {
	res.writeHead(status, { 'content-type': 'application/json', ...headers });
	res.end(JSON.stringify(value));
};
const refuse = (res, message) => json(res, 500, { Message: message, Code: 0, Type: 'error' });

async function body(req) {
	const parts = [];
	for await (const part of req) parts.push(part);
	return Buffer.concat(parts);
}

/** All blocks below one, or the first that is missing. */
async function below(cid, seen = new Set()) {
	const key = cid.toString();
	if (seen.has(key)) return null;
	seen.add(key);
	if (!names.has(key)) return key;
	if (cid.code === raw.code) return null;
	for (const link of dagPb.decode(await bytesOf(cid)).Links) {
		const missing = await below(link.Hash, seen);
		if (missing) return missing;
	}
	return null;
}

async function bytesOf(cid) {
	const parts = [];
	for await (const part of store.get(cid)) parts.push(part);
	return Buffer.concat(parts);
}

async function importCar(req, res, url) {
	const form = await new Response(await body(req), {
		headers: { 'content-type': req.headers['content-type'] }
	}).formData();
	const file = [...form.values()][0];
	const car = await CarBlockIterator.fromBytes(new Uint8Array(await file.arrayBuffer()));
	let count = 0;
	for await (const { cid, bytes } of car) {
		const hash = await sha256.digest(bytes);
		if (Buffer.compare(hash.bytes, cid.multihash.bytes)) {
			return refuse(res, `block ${cid} has another hash`);
		}
		await store.put(cid, bytes);
		names.set(cid.toString(), bytes.length);
		count += 1;
	}
	const lines = [];
	if (url.searchParams.get('pin-roots') !== 'false') {
		for (const root of await car.getRoots()) {
			const missing = await below(root);
			if (!missing) pins.add(root.toString());
			const message = missing ? `block ${missing} was not found` : '';
			lines.push({ Root: { Cid: { '/': root.toString() }, PinErrorMsg: message } });
		}
	}
	lines.push({ Stats: { BlockCount: count, BlockBytesCount: 0 } });
	res.writeHead(200, { 'content-type': 'application/json' });
	res.end(lines.map((line) => JSON.stringify(line) + '\n').join(''));
}

async function rpc(req, res, url) {
	if (req.method !== 'POST') return json(res, 405, {});
	if (login && req.headers.authorization !== login) return json(res, 403, {});
	const arg = url.searchParams.get('arg');
	switch (url.pathname.slice('/api/v0/'.length)) {
		case 'id':
			return json(res, 200, {
				ID: '12D3KooWNode',
				Addresses: ['/ip4/203.0.113.7/tcp/4001/p2p/12D3KooWNode']
			});
		case 'version':
			return json(res, 200, { Version: '0.42.0' });
		case 'dag/import':
			return importCar(req, res, url);
		case 'pin/add': {
			const missing = await below(CID.parse(arg));
			if (missing) return refuse(res, `block was not found locally: ${missing}`);
			pins.add(arg);
			return json(res, 200, { Pins: [arg] });
		}
		case 'pin/rm':
			if (!pins.delete(arg)) return refuse(res, 'not pinned or pinned indirectly');
			return json(res, 200, { Pins: [arg] });
		case 'pin/ls':
			if (!pins.has(arg)) return refuse(res, `path '${arg}' is not pinned`);
			return json(res, 200, { Keys: { [arg]: { Type: 'recursive' } } });
		case 'swarm/connect':
			return json(res, 200, { Strings: [`connect ${arg} success`] });
		default:
			return json(res, 404, {});
	}
}

const problem = (res, status, reason, details) => json(res, status, { error: { reason, details } });

async function show(request) {
	if (request.status === 'queued' || request.status === 'pinning') {
		request.looks += 1;
		if (request.looks > patience) {
			const missing = await below(CID.parse(request.pin.cid));
			request.status = missing ? 'failed' : 'pinned';
		} else if (request.looks > 1) {
			request.status = 'pinning';
		}
	}
	const { requestid, status, created, pin } = request;
	return { requestid, status, created, pin, delegates: ['/ip4/203.0.113.9/tcp/4001/p2p/12D3KooWService'] };
}

async function service(req, res, url) {
	if (req.headers.authorization !== `Bearer ${TOKEN}`) {
		return problem(res, 401, 'UNAUTHORIZED', 'Access token is missing or invalid');
	}
	const id = url.pathname.slice('/psa/pins'.length).replace(/^\//, '');
	const found = requests.get(id);
	if (id && !found) return problem(res, 404, 'NOT_FOUND', 'The specified resource was not found');
	if (req.method === 'GET' && !id) {
		const cids = (url.searchParams.get('cid') ?? '').split(',').filter(Boolean);
		const states = (url.searchParams.get('status') ?? 'pinned').split(',');
		const before = url.searchParams.get('before');
		const limit = Number(url.searchParams.get('limit') ?? 10);
		const all = [...requests.values()]
			.filter((it) => !cids.length || cids.includes(it.pin.cid))
			.filter((it) => states.includes(it.status) && (!before || it.created < before))
			.sort((one, other) => (one.created < other.created ? 1 : -1));
		const results = await Promise.all(all.slice(0, limit).map(show));
		return json(res, 200, { count: all.length, results });
	}
	if (req.method === 'GET') return json(res, 200, await show(found));
	if (req.method === 'DELETE') {
		requests.delete(id);
		res.writeHead(202);
		return res.end();
	}
	if (req.method === 'POST') {
		const pin = JSON.parse(await body(req));
		try {
			CID.parse(pin.cid);
		} catch {
			return problem(res, 400, 'BAD_REQUEST', 'the CID cannot be read');
		}
		if (id) requests.delete(id);
		const requestid = `request-${nextRequest++}`;
		const created = new Date(Date.UTC(2026, 0, 1) + nextRequest * 1000).toISOString();
		const request = { requestid, status: 'queued', created, pin, looks: 0 };
		requests.set(requestid, request);
		return json(res, 202, await show(request));
	}
	return problem(res, 405, 'METHOD_NOT_ALLOWED');
}

async function test(req, res, url) {
	switch (url.pathname) {
		case '/test/login':
			login = (await body(req)).toString();
			return json(res, 200, {});
		case '/test/cid': {
			const bytes = await body(req);
			let last;
			const source = [{ content: (async function* () { yield bytes; })() }];
			for await (const entry of importer(source, new MemoryBlockstore(), settings(url))) last = entry;
			return json(res, 200, { cid: last.cid.toString(), size: Number(last.unixfs?.fileSize() ?? bytes.length) });
		}
		case '/test/folder': {
			const files = JSON.parse(await body(req));
			const source = files.map(([path, text]) => ({ path, content: Buffer.from(text) }));
			let last;
			const options = { ...settings(url), wrapWithDirectory: true };
			for await (const entry of importer(source, new MemoryBlockstore(), options)) last = entry;
			return json(res, 200, { cid: last.cid.toString() });
		}
		case '/test/file': {
			const entry = await exporter(url.searchParams.get('path'), store);
			const parts = [];
			for await (const part of entry.content()) parts.push(part);
			res.writeHead(200);
			return res.end(Buffer.concat(parts));
		}
		case '/test/list': {
			const paths = [];
			for await (const entry of recursive(url.searchParams.get('path'), store)) {
				const { type } = await exporter(entry.cid, store);
				if (type !== 'directory') paths.push(entry.path.split('/').slice(1).join('/'));
			}
			return json(res, 200, paths);
		}
		case '/test/open': {
			const opener = new Decrypter();
			opener.addIdentity(url.searchParams.get('key'));
			const plain = await opener.decrypt(new Uint8Array(await body(req)), 'uint8array');
			res.writeHead(200);
			return res.end(Buffer.from(plain));
		}
		case '/test/seal': {
			const sealer = new Encrypter();
			sealer.addRecipient(url.searchParams.get('recipient'));
			const sealed = await sealer.encrypt(new Uint8Array(await body(req)));
			res.writeHead(200);
			return res.end(Buffer.from(sealed));
		}
		case '/test/faults':
			faults = JSON.parse(await body(req));
			return json(res, 200, {});
		case '/test/patience':
			patience = Number(url.searchParams.get('looks'));
			return json(res, 200, {});
		case '/test/state':
			return json(res, 200, {
				pins: [...pins],
				blocks: names.size,
				requests: [...requests.values()],
				log
			});
		case '/test/collect': {
			// What a node does that runs out of space: only what is pinned stays.
			const kept = new Set();
			for (const pin of pins) await below(CID.parse(pin), kept);
			for (const name of names.keys()) if (!kept.has(name)) names.delete(name);
			return json(res, 200, { blocks: names.size });
		}
	}
	return json(res, 404, {});
}

const settings = (url) => {
	const profile = url.searchParams.get('profile');
	// What Kubo does when asked for CIDv1 and raw leaves, and otherwise left as it is.
	return profile === 'unixfs-v1-2025' ? { profile } : { profile: 'unixfs-v0-2015', cidVersion: 1, rawLeaves: true };
};

const server = createServer(async (req, res) => {
	const url = new URL(req.url, 'http://test');
	try {
		if (url.pathname.startsWith('/test/')) return await test(req, res, url);
		log.push(`${req.method} ${url.pathname}`);
		const fault = faults.find(
			(it) => url.pathname.startsWith(it.path) && (!it.method || it.method === req.method) && it.count > 0
		);
		if (fault && fault.skip > 0) {
			fault.skip -= 1;
		} else if (fault) {
			fault.count -= 1;
			await body(req);
			// A node that is there and says nothing.
			if (fault.silent) return;
			res.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
			return res.end(fault.body ?? '');
		}
		if (url.pathname.startsWith('/api/v0/')) return await rpc(req, res, url);
		if (url.pathname.startsWith('/psa/pins')) return await service(req, res, url);
		return json(res, 404, {});
	} catch (error) {
		return refuse(res, String(error?.message ?? error));
	}
});
server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
