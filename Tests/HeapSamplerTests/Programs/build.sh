#!/usr/bin/env bash
# Builds the sampler and the programs that try it: build.sh FOLDER. What is up to date is left alone.
set -euo pipefail
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
root=../../..
exec 9>"$out/lock"
flock 9
"$root/scripts/sampler" "$out" >/dev/null
swift=$(readlink -f "$(command -v swift)")
clang=${swift%/*}/clang
flags=(-O1 -g -D_GNU_SOURCE -fno-omit-frame-pointer -fno-optimize-sibling-calls -Wall -Wextra -Werror -Wno-deprecated-declarations)

stale() { [[ ! -e $out/$1 || -n $(find . "$root/Sources/CHeapSampler" -newer "$out/$1" -print -quit) ]]; }

for program in read_heap entry_points estimates threads processes signals libraries full frames in_use leaker filtered holder; do
    if stale "$program"; then "$clang" "${flags[@]}" "$program.c" -o "$out/$program" -lm -lpthread -ldl; fi
done
for library in tiny_allocator plugin sigsuspend; do
    if stale "lib$library.so"; then
        "$clang" "${flags[@]}" -fno-builtin -fPIC -shared -Wl,--build-id "$library.c" -o "$out/lib$library.so"
    fi
done
cp -u "$out/libplugin.so" "$out/libplugin2.so"
# The sampler's sources in the program itself, as a test suite links them.
if stale linked_in; then
    "$clang" "${flags[@]}" "$root"/Sources/CHeapSampler/*.c entry_points.c -o "$out/linked_in" -lm
fi
if stale objects; then
    "$clang" "${flags[@]}" -c objects_reading.c -o "$out/objects_reading.o"
    "${clang}++" -O1 -g -D_GNU_SOURCE -std=c++17 -fno-omit-frame-pointer -Wall -Wextra objects.cpp "$out/objects_reading.o" -o "$out/objects"
fi
if stale swift_boxes; then swiftc -O -g -static-stdlib boxes.swift -o "$out/swift_boxes"; fi
echo built
