# shellcheck shell=bash disable=SC2154 # what it wants of the script that sources it
# Debian's kernel and the module vgpu_sample.c, for a first file system of QEMU's guest. Sourced. It wants: $top, the folder
# of the sources; $cache, where the kernel is unpacked, once, and then $release of it; $first, the first file system; a function
# `skip`, called with the reason where the kernel cannot be had.

loaded=

depends() {
    apt-cache depends "$1" 2>/dev/null | sed -n "s/^ *Depends: \($2\)\$/\1/p" | head -n 1
}

# Kernel, headers and what modules are built with, unpacked below $cache/root.
unpack_kernel() {
    [ ! -e "$cache/release" ] || return 0
    rm -rf "$cache"
    mkdir -p "$cache/deb"
    local headers
    headers=$(depends linux-headers-amd64 'linux-headers-.*')
    if [ -z "$headers" ]; then
        apt-get update -qq >/dev/null 2>&1 || true
        headers=$(depends linux-headers-amd64 'linux-headers-.*')
    fi
    [ -n "$headers" ] || skip "no package linux-headers-amd64"
    (cd "$cache/deb" && apt-get download -qq "linux-image-${headers#linux-headers-}" "$headers" \
        "$(depends "$headers" 'linux-headers-.*-common')" "$(depends "$headers" 'linux-kbuild-.*')" >/dev/null 2>&1) ||
        skip "the kernel's packages cannot be fetched"
    for deb in "$cache"/deb/*.deb; do dpkg -x "$deb" "$cache/root"; done
    rm -rf "$cache/deb"
    echo "${headers#linux-headers-}" >"$cache/release"
}

build_module() {
    local headers=$cache/root/usr/src/linux-headers-$release
    # Debian's headers name their other half by an absolute path.
    echo "include $cache/root/usr/src/linux-headers-${release%-amd64}-common/Makefile" >"$headers/Makefile"
    mkdir -p "$cache/module"
    cp -u "$top/tests/kernel/module/vgpu_sample.c" "$cache/module/"
    echo 'obj-m := vgpu_sample.o' >"$cache/module/Kbuild"
    make -s -C "$headers" M="$cache/module" CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$cache/module/log" 2>&1 ||
        { cat "$cache/module/log"; exit 1; }
}

# A module and all that it needs, each once, in the order of loading.
load_order() {
    local file=$1 dependency
    case " $loaded " in *" ${file##*/} "*) return ;; esac
    for dependency in $(tr '\0' '\n' <"$file" | sed -n 's/^depends=//p' | tr ',' ' '); do
        # shellcheck disable=SC2046 # one file a name
        load_order $(find "$cache/root/lib/modules" "$cache/module" -name "$dependency.ko" -o -name "${dependency//_/-}.ko")
    done
    loaded+=" ${file##*/}"
    cp "$file" "$first/modules/$(printf %02d "$(wc -w <<<"$loaded")")-${file##*/}"
}
