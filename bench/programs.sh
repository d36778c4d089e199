#!/bin/sh
# Builds the benchmark programs, each natively and as a WebAssembly module:
#
#   bench/programs.sh [SOURCE...]
#
# A SOURCE is a word of the third column of programs.txt (kernels/gemm.c, sqlite3, lua, zlib), or "kernels" for all of
# ours; without any, everything in that table. What is newer than its sources is left alone.
#
#   native/NAME      the program for this machine       wasm/NAME.wasm   the same for wasm32-wasi
#
# below BENCH_BUILD (default: build/bench of the repository). CLANG names the compiler (default clang-19).
#
# sqlite3, Lua and zlib come from the Debian source packages of the release that this machine runs (cmake/apt.sh);
# nothing outside BENCH_BUILD is changed.
set -eu

bench=$(cd "$(dirname "$0")" && pwd)
build=${BENCH_BUILD:-$bench/../build/bench}
clang=${CLANG:-clang-19}

mkdir -p "$build"
build=$(cd "$build" && pwd)

# Two callers at once (a benchmark and the demo, say) must not unpack over each other.
if [ "${BENCH_LOCKED:-}" != "$build" ]; then
    BENCH_LOCKED=$build exec flock "$build/.lock" "$bench/programs.sh" "$@"
fi
mkdir -p "$build/native" "$build/wasm" "$build/src"

# Both sides get the same options, so that they differ in the target only. No contraction: a native fused multiply-add
# would give other digits than WebAssembly, which has none. No errno from sqrt: it is one instruction on both.
common="-O3 -std=gnu11 -ffp-contract=off -fno-math-errno"
# Messages of failed assertions name source files: without where they lie, so that the module is the same everywhere.
common="$common -ffile-prefix-map=$build/= -ffile-prefix-map=$bench/="
# The 2017 instruction set and sign extension, which every engine of today runs.
wasm="--target=wasm32-wasi -mcpu=mvp -msign-ext -mno-bulk-memory -mno-nontrapping-fptoint
    -Wl,--stack-first -Wl,-z,stack-size=1048576 -Wl,--strip-all"
# Functions that the C library for WASI lacks and that real programs mention.
glue="-isystem $bench/glue/include -include $bench/glue/wasi.h -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_PROCESS_CLOCKS
    -D_WASI_EMULATED_GETPID $bench/glue/wasi.c
    -lwasi-emulated-signal -lwasi-emulated-process-clocks -lwasi-emulated-getpid"

say() { printf '%s\n' "programs.sh: $*" >&2; }
die() { say "$*"; exit 1; }

# newer OUTPUT INPUT...: is OUTPUT there and newer than every INPUT, and than this script?
newer() {
    output=$1
    shift
    [ -e "$output" ] || return 1
    for input in "$bench/programs.sh" "$@"; do
        [ -z "$(find "$input" -newer "$output")" ] || return 1
    done
    return 0
}

# compile native|wasm NAME ARGUMENTS...: through a temporary name, so that a broken run leaves no half a program.
compile() {
    side=$1 name=$2
    shift 2
    if [ "$side" = native ]; then
        out=$build/native/$name flags=
    else
        out=$build/wasm/$name.wasm flags=$wasm
    fi
    # Warnings for our own programs; the code of others is as it is.
    case $1 in "$bench"/kernels/*) warnings="-Wall -Wextra" ;; *) warnings=-w ;; esac
    say "compiling $name ($side)"
    # The flags are lists of words; the checkout's path must not have spaces.
    $clang $common $warnings $flags "$@" -lm -o "$out.tmp"
    mv "$out.tmp" "$out"
}

# unpack PACKAGE: fetches a Debian source package and unpacks it to $build/src/PACKAGE.
unpack() {
    [ -d "$build/src/$1" ] || sh "$bench/../cmake/apt.sh" "$build/apt" source "$1" "$build/src/$1"
}

build_kernel() {
    source=$bench/$1 name=$(basename "$1" .c)
    newer "$build/native/$name" "$source" "$bench/kernels/kernel.h" || compile native "$name" "$source"
    newer "$build/wasm/$name.wasm" "$source" "$bench/kernels/kernel.h" || compile wasm "$name" "$source"
}

build_lua() {
    if newer "$build/native/lua" && newer "$build/wasm/lua.wasm" "$bench/glue/wasi.c" "$bench/glue/wasi.h"; then
        return 0
    fi
    unpack lua5.4
    lua=$build/src/lua5.4/src
    # Debian's package build writes this header, for the path of C modules, which are not loaded here.
    echo '#define DEB_HOST_MULTIARCH "none"' >"$lua/lua5.4-deb-multiarch.h"
    files=
    for file in "$lua"/*.c; do
        [ "$(basename "$file")" = luac.c ] || files="$files $file"
    done
    # Hash seeds and the sort's pivot otherwise come from the clock and from addresses: runs would differ.
    # Nor does either side hand out names of temporary files, of which WASI has none.
    same="-Dluai_makeseed(L)=0x5eed -Dl_randomizePivot()=0u -Dlua_tmpnam(b,e)=((e)=1) -DLUA_TMPNAMBUFSIZE=32"
    compile native lua $same $files
    # WASI has no longjmp: see glue/wasi.h for what becomes of Lua's errors.
    compile wasm lua $same -DLUAI_THROW=wk_lua_throw -DLUAI_TRY=wk_lua_try -Dluai_jmpbuf=int $files $glue
}

build_zlib() {
    driver=$bench/zlib_driver.c
    newer "$build/native/zlib" "$driver" && newer "$build/wasm/zlib.wasm" "$driver" && return 0
    unpack zlib
    zlib=$build/src/zlib
    files=
    # Without the gz* file functions, which the driver does not call.
    for file in adler32 compress crc32 deflate inffast inflate inftrees trees uncompr zutil; do
        files="$files $zlib/$file.c"
    done
    compile native zlib -I "$zlib" "$driver" $files
    compile wasm zlib -I "$zlib" "$driver" $files
}

build_sqlite3() {
    if newer "$build/native/sqlite3" && newer "$build/wasm/sqlite3.wasm" "$bench/glue/wasi.c" "$bench/glue/wasi.h"; then
        return 0
    fi
    unpack sqlite3
    made=$build/src/sqlite3-made
    if [ ! -e "$made/sqlite3.c" ]; then
        say "making sqlite3's single source file"
        rm -rf "$made"
        mkdir -p "$made"
        if ! (cd "$made" && CC=$clang ../sqlite3/configure --disable-tcl --disable-readline --disable-shared &&
            make sqlite3.c) >"$build/src/sqlite3-made.log" 2>&1; then
            rm -f "$made/sqlite3.c"
            die "sqlite3.c could not be made: see $build/src/sqlite3-made.log"
        fi
    fi
    # One thread, no dynamic loading, no shared memory, no file but the database, not even /dev/urandom: nothing that
    # WASI has not, and the same on both sides.
    sqlite="-DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL -DSQLITE_MAX_MMAP_SIZE=0
        -DSQLITE_TEMP_STORE=3 -DSQLITE_DEFAULT_MEMSTATUS=0 -DSQLITE_OMIT_DEPRECATED -DSQLITE_OMIT_SHARED_CACHE
        -DSQLITE_OMIT_RANDOMNESS -I $made $made/sqlite3.c $build/src/sqlite3/test/speedtest1.c"
    compile native sqlite3 $sqlite
    compile wasm sqlite3 $sqlite $glue
}

# The third column of the table, each word once.
all_sources() { sed 's/#.*//' "$bench/programs.txt" | awk 'NF { print $3 }' | sort -u; }

[ $# -gt 0 ] || set -- $(all_sources)
for source in "$@"; do
    case $source in
    kernels) for kernel in $(all_sources | grep '^kernels/'); do build_kernel "$kernel"; done ;;
    kernels/*.c) build_kernel "$source" ;;
    lua | zlib | sqlite3) "build_$source" ;;
    *) die "unknown source '$source'" ;;
    esac
done
