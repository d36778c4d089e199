#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# inspect, in both forms.
. "$(dirname "$0")/common.inc"

# All there is: two of each kind, one of them imported; hostile names; a custom section; references with types.
module=$work/module.wasm
evil='65 1b 5b 33 31 6d e2 80 ae 22 5c 0a' # e ESC [ 3 1 m RIGHT-TO-LEFT-OVERRIDE " \ newline
unhex "$module" $header \
	"$(section 1 03 60 00 00  60 02 7f 63 00 01 7e  60 01 7c 00)" \
	"$(section 2 05 "$(name env)" "$(sized "$evil")" 00 01  "$(name env)" "$(name table)" 01 70 01 01 0a \
		"$(name env)" "$(name memory)" 02 00 01  "$(name env)" "$(name global)" 03 7f 01  "$(name env)" "$(name tag)" 04 00 02)" \
	"$(section 3 02 00 00)" \
	"$(section 4 01 63 00 00 02)" \
	"$(section 5 01 05 01 03)" \
	"$(section 13 01 00 00)" \
	"$(section 6 01 7e 00 4200 0b)" \
	"$(section 7 03 "$(name run)" 00 01  "$(sized "$evil" 65)" 02 01  "$(name '')" 03 01)" \
	"$(section 8 02)" \
	"$(section 9 01 01 00 01 01)" \
	"$(section 12 01)" \
	"$(section 10 02 "$(sized 00 0b)" "$(sized 00 01 0b)")" \
	"$(section 11 01 01 03 616263)" \
	"$(section 0 "$(name note)" 01020304)" \
	"$(section 0 "$(name name)" 00 "$(sized "$(name 'a module')")")"

tool validate "$module"
check "the module is valid" 0
tool inspect "$module"
check "the text form" 0 out "module.wasm: WebAssembly module, $(wc -c < "$module") bytes" out '"a module"' \
	out "2 with 5 bytes of code, 1 imported" out "start      function 2" out "Sections (15)" out 'custom "note"' \
	out "Types (3)" out "(func (param i32 (ref null 0)) (result i64))" out "Imports (5)" out "Exports (3)" \
	out "1 to 10 of funcref" out "2 or more of (ref null 0)" out "(mut i32)" out "64-bit addresses" out "imported" \
	out "1 segments, 3 bytes"
check "names are escaped" 0 out '"env" "e\u{1b}[31m\u{202e}\"\\\u{a}"'
if LC_ALL=C grep -q '[^[:print:][:space:]]' "$work/out"; then not_ok "no control characters"; else ok "no control characters"; fi
if grep -q ' $' "$work/out"; then not_ok "no spaces at the ends of lines"; else ok "no spaces at the ends of lines"; fi

tool inspect --json "$module"
check "the JSON form" 0 out '"format": 1'
cp "$work/out" "$work/json"
tool inspect "$module" --json
if cmp -s "$work/out" "$work/json"; then ok "the option may follow the file"; else not_ok "the option may follow the file"; fi
if LC_ALL=C grep -q '[^[:print:][:space:]]' "$work/json"; then not_ok "no control characters in JSON"; else
	ok "no control characters in JSON"; fi
if command -v python3 > /dev/null; then
	if python3 - "$work/json" "$module" <<- 'END'; then
		import json, os, sys
		m = json.load(open(sys.argv[1]))
		bytes = open(sys.argv[2], "rb").read()
		evil = 'e\x1b[31m\u202e"\\\n'
		def same(a, b): assert a == b, (a, b)
		same(list(m), ["format", "file", "size", "image", "name", "functions", "start", "data", "elements", "sections", "types",
			"imports", "exports", "memories", "tables", "globals", "tags"])
		same((m["file"], m["size"], m["name"], m["start"]), (sys.argv[2], len(bytes), "a module", 2))
		same(m["functions"], {"imported": 1, "defined": 2, "code_bytes": 5})
		same((m["data"], m["elements"]), ({"segments": 1, "bytes": 3}, {"segments": 1}))
		same([s["name"] for s in m["sections"]], ["type", "import", "function", "table", "memory", "tag", "global", "export",
			"start", "element", "datacount", "code", "data", "custom", "custom"])
		same([s["custom_name"] for s in m["sections"]][-3:], [None, "note", "name"])
		at = 8
		# Each section begins where the one before ended, behind an id and a size of one byte.
		starts = [8] + [s["offset"] + s["size"] for s in m["sections"]]
		same([(bytes[at], bytes[at + 1], at + 2) for at in starts[:-1]],
			[(s["id"], s["size"], s["offset"]) for s in m["sections"]])
		same(starts[-1], len(bytes))
		same(m["types"][1], {"index": 1, "kind": "func", "final": True, "super": None,
			"parameters": ["i32", "(ref null 0)"], "results": ["i64"]})
		same([i["kind"] for i in m["imports"]], ["func", "table", "memory", "global", "tag"])
		same((m["imports"][0]["name"], m["imports"][0]["results"]), (evil, ["i64"]))
		same([e["name"] for e in m["exports"]], ["run", evil + "e", ""])
		same(m["exports"][0], {"name": "run", "kind": "func", "index": 1, "parameters": [], "results": []})
		same(m["memories"], [
			{"index": 0, "imported": True, "minimum": 1, "maximum": None, "address": "i32", "page_size": 65536},
			{"index": 1, "imported": False, "minimum": 1, "maximum": 3, "address": "i64", "page_size": 65536}])
		same(m["tables"], [
			{"index": 0, "imported": True, "element": "funcref", "minimum": 1, "maximum": 10, "address": "i32"},
			{"index": 1, "imported": False, "element": "(ref null 0)", "minimum": 2, "maximum": None, "address": "i32"}])
		same(m["globals"], [{"index": 0, "imported": True, "type": "i32", "mutable": True},
			{"index": 1, "imported": False, "type": "i64", "mutable": False}])
		same(m["tags"], [{"index": 0, "imported": True, "parameters": ["f64"], "results": []},
			{"index": 1, "imported": False, "parameters": [], "results": []}])
	END
		ok "JSON read by python3"
	else
		not_ok "JSON read by python3"
	fi
else
	skip "JSON read by python3" "no python3"
fi
if command -v jq > /dev/null; then
	if [ "$(jq -r '.exports[0].name + " " + (.memories | length | tostring)' "$work/json")" = "run 2" ]; then
		ok "JSON read by jq"
	else
		not_ok "JSON read by jq"
	fi
else
	skip "JSON read by jq" "no jq"
fi

tool compile -O1 -o "$work/app.image" "$module"
if [ "$status" = 0 ]; then
	tool inspect "$work/app.image"
	check "an image" 0 out "app.image: image for" out "functions, by " out "Exports ("
	tool inspect "$work/app.image" --json
	check "an image as JSON" 0 out '"optimisation": 1,' out "\"module\": \"$(sha256sum < "$module" | cut -d ' ' -f 1)\""
	head -c -1 "$work/app.image" > "$work/cut.image"
	tool inspect "$work/cut.image"
	check "an image that is cut off" 65 err "ELF file"
	{ head -c 500 "$work/app.image" && printf x && tail -c +502 "$work/app.image"; } > "$work/changed.image"
	tool inspect "$work/changed.image"
	check "an image with another byte" 65 err "image is not used"
else
	skip "images" "built without LLVM"
fi

unhex "$work/none.wasm" $header
tool inspect "$work/none.wasm"
check "a module with nothing in it" 0 out "8 bytes" out "Sections (0)"
tool inspect "$work/none.wasm" --json
check "a module with nothing in it, as JSON" 0 out '"sections": []'
"$tool" inspect - < "$module" > "$work/out" 2> "$work/err"
status=$?
check "standard input" 0 out "-: WebAssembly module"
if [ -w /dev/full ]; then
	"$tool" inspect "$module" > /dev/full 2> "$work/err"
	status=$?
	check "a full device" 74 err "cannot write"
fi
finish
