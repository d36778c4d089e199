// SPDX-License-Identifier: Apache-2.0
//
// node compare.mjs PROGRAM [options of differential.c...]
//
// Starts the program, which makes modules and says what they do in Wasmkeep, does the same with V8, and compares: the
// outcome and results of each call, the calls of imported functions, exported globals, and memories. Ends with
// "N passed, N failed, N skipped" (of modules; skipped: a stack was exhausted, which engines may do at any depth).

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';

const view = new DataView(new ArrayBuffer(8));
const mix = (hash, word) => Math.imul(hash ^ word, 16777619);

// A value travels as "letter:bits in hexadecimal"; every NaN as the canonical one.
function bits(letter, value) {
	switch (letter) {
	case 'i':
		return BigInt(value >>> 0);
	case 'I':
		return BigInt.asUintN(64, value);
	case 'f':
		if (Number.isNaN(value))
			return 0x7fc00000n;
		view.setFloat32(0, value);
		return BigInt(view.getUint32(0));
	default:
		if (Number.isNaN(value))
			return 0x7ff8000000000000n;
		view.setFloat64(0, value);
		return view.getBigUint64(0);
	}
}

const text = (letter, value) => `${letter}:${bits(letter, value).toString(16)}`;

function value(text) {
	const number = BigInt('0x' + text.slice(2));
	view.setBigUint64(0, text[0] == 'f' ? number << 32n : number);
	switch (text[0]) {
	case 'i': return Number(BigInt.asIntN(32, number));
	case 'I': return BigInt.asIntN(64, number);
	case 'f': return view.getFloat32(0);
	default: return view.getFloat64(0);
	}
}

// ---- the host's side: as in differential.c ----

function hostFunction(state, name) {
	const [, parameters, result] = name.split(':');
	return (...values) => {
		let log = mix(state.log, name.charCodeAt(1));
		[...parameters].forEach((letter, i) => {
			const number = bits(letter, values[i]);
			log = mix(log, Number(number & 0xffffffffn));
			if (letter == 'I' || letter == 'F')
				log = mix(log, Number(number >> 32n));
		});
		state.log = log;
		const word = BigInt(log >>> 0);
		switch (result) {
		case 'i': return log;
		case 'I': return BigInt.asIntN(64, word << 32n | word);
		case 'f':
		case 'F': return ((log << 16) >> 16) / 8;
		}
	};
}

const globals = {
	i: ['i32', 0x12345678], I: ['i64', 0x123456789abcdef0n], f: ['f32', 1.5], F: ['f64', -2.25],
};

function imports(module, state) {
	const env = {};
	for (const { name, kind } of WebAssembly.Module.imports(module)) {
		if (kind == 'function') {
			env[name] = hostFunction(state, name);
		} else if (kind == 'global') {
			const [type, initial] = globals[name[2]];
			env[name] = new WebAssembly.Global({ value: type, mutable: false }, initial);
		} else {
			env[name] = new WebAssembly.Memory({ initial: 1, maximum: 4 });
		}
	}
	return { env };
}

// ---- outcomes: what each engine says, as one word ----

const ours = {
	'trap: unreachable': 'unreachable',
	'trap: out of bounds memory access': 'memory',
	'trap: out of bounds table access': 'table',
	'trap: undefined element': 'table',
	'trap: uninitialized element': 'signature',
	'trap: indirect call type mismatch': 'signature',
	'trap: null reference': 'null',
	'trap: null function reference': 'null',
	'trap: integer divide by zero': 'zero',
	'trap: integer overflow': 'unrepresentable',
	'trap: invalid conversion to integer': 'unrepresentable',
	'trap: call stack exhausted': 'stack',
};

function theirs(error) {
	if (error instanceof RangeError)
		return 'stack';
	const words = [
		[/unreachable/, 'unreachable'],
		[/memory access|data segment/, 'memory'],
		[/signature mismatch/, 'signature'],
		[/table index|table access|element segment|table\./, 'table'],
		[/null/, 'null'],
		[/by zero/, 'zero'],
		[/unrepresentable/, 'unrepresentable'],
	];
	const found = words.find(([pattern]) => pattern.test(error.message));
	return found ? found[1] : `${error.name}: ${error.message}`;
}

// ---- one module ----

class Difference extends Error {}
class Skip extends Error {}

function same(what, mine, other) {
	if (mine == 'stack' || other == 'stack')
		throw new Skip();
	if (mine !== other)
		throw new Difference(`${what}: Wasmkeep ${mine}, V8 ${other}`);
}

function call(instance, call) {
	let outcome = 'ok', results = [];
	try {
		instance.exports.fuel.value = 200;
		const result = instance.exports[call.name](...call.arguments.map(value));
		results = result === undefined ? [] : Array.isArray(result) ? result : [result];
	} catch (error) {
		outcome = theirs(error);
	}
	const what = `${call.name}(${call.arguments})`;
	same(what, ours[call.outcome] ?? call.outcome, outcome);
	if (outcome == 'ok') {
		const letters = call.results.map(text => text[0]);
		same(what, `${call.results}`, `${results.map((result, i) => text(letters[i], result))}`);
	}
}

function memoryHash(memory) {
	let hash = memory.buffer.byteLength | 0;
	for (const word of new Uint32Array(memory.buffer))
		hash = mix(hash, word);
	return (hash >>> 0).toString(16);
}

function compare(line) {
	const bytes = Buffer.from(line.module, 'base64');
	const state = { log: 1 };
	let module = null, instance = null, outcome = 'ok';
	try {
		module = new WebAssembly.Module(bytes);
		instance = new WebAssembly.Instance(module, imports(module, state));
	} catch (error) {
		outcome = theirs(error);
	}
	same('instantiation', ours[line.outcome] ?? line.outcome, outcome);
	if (outcome != 'ok')
		return;
	for (const one of line.calls)
		call(instance, one);
	same('calls of imports', line.log, (state.log >>> 0).toString(16));
	for (const [name, mine] of Object.entries(line.state)) {
		const object = instance.exports[name];
		same(name, mine, object instanceof WebAssembly.Memory ? memoryHash(object) : text(mine[0], object.value));
	}
}

// ---- what this V8 can do: older ones have some features behind flags, oldest not at all ----

const features = [
	['extended-const', [6, 9, 1, 0x7f, 0, 0x41, 1, 0x41, 1, 0x6a, 0x0b]],
	['return-call', [1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 6, 1, 4, 0, 0x12, 0, 0x0b]],
	['memory64', [5, 3, 1, 4, 1]],
];

function missing([name, sections]) {
	const bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections);
	if (WebAssembly.validate(bytes))
		return false;
	setFlagsFromString(`--experimental-wasm-${name}`);
	return !WebAssembly.validate(bytes);
}

// ---- all modules ----

const [program, ...options] = process.argv.slice(2);
for (const feature of features)
	if (missing(feature))
		options.push('--without', feature[0]);
const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'inherit'] });
const status = new Promise(done => child.on('close', done));
let passed = 0, failed = 0, skipped = 0, complete = false, last = '';

for await (const text of createInterface({ input: child.stdout })) {
	let line = null;
	last = text;
	try {
		line = JSON.parse(text);
	} catch {
		break;
	}
	if (line.end !== undefined) {
		complete = true;
		continue;
	}
	try {
		compare(line);
		passed++;
	} catch (error) {
		if (error instanceof Skip) {
			skipped++;
			continue;
		}
		failed++;
		console.log(`not ok - seed ${line.seed}: ${error instanceof Difference ? error.message : error.stack}`);
	}
}
if (await status !== 0 || !complete) {
	console.log(`not ok - the program ended with ${child.exitCode ?? child.signalCode} after ${last.slice(0, 40)}`);
	failed++;
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
