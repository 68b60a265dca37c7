# shellcheck shell=bash
# A Chromium for the browser tests, its path in FUNAUDIO_CHROMIUM. Sourced after setup.sh.

find_chromium() {
    [ -n "${FUNAUDIO_CHROMIUM:-}" ] && return
    local unpacked=$ROOT/.cache/chromium
    if ! chromium_on_path; then
        if is_root && has apt-get; then
            apt_install chromium fonts-noto-cjk || true
        elif has apt-get && has dpkg-deb && ! [ -x "$unpacked/chromium" ]; then
            unpack_chromium "$unpacked" || rm -rf "$unpacked"
        fi
    fi
    if chromium_on_path; then
        FUNAUDIO_CHROMIUM=$(chromium_on_path)
    elif [ -x "$unpacked/chromium" ]; then
        FUNAUDIO_CHROMIUM=$unpacked/chromium
    elif .venv/bin/python -m playwright install chromium >&2; then
        FUNAUDIO_CHROMIUM=$(.venv/bin/python -c '
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    print(p.chromium.executable_path)')
    else
        fail "The browser tests need Chromium, and it could not be fetched: install it (on Debian: apt-get install chromium), then run this again."
    fi
    export FUNAUDIO_CHROMIUM
    say "      $FUNAUDIO_CHROMIUM"
}

chromium_on_path() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

# Without root: Debian's chromium, and those of its libraries that are missing, unpacked into a folder.
unpack_chromium() {
    local box=$1 package
    rm -rf "$box" "$ROOT/.cache/apt" && mkdir -p "$box"
    apt_private update >/dev/null 2>&1 || true
    apt_private install -y --download-only --no-install-recommends chromium fonts-noto-cjk >&2 || return 1
    for package in "$ROOT"/.cache/apt/archives/*.deb; do dpkg-deb -x "$package" "$box" || return 1; done
    rm -rf "$ROOT/.cache/apt"
    cat >"$box/fonts.conf" <<XML
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>$box/usr/share/fonts</dir>
  <cachedir>$box/fonts-cache</cachedir>
</fontconfig>
XML
    # Some libraries name their neighbours' folder by its full path, so every folder with a library is searched.
    local libraries
    libraries=$(find "$box/lib" "$box/usr/lib" -name 'lib*.so*' -printf '%h\n' | sort -u | paste -sd:)
    cat >"$box/chromium" <<SH
#!/bin/sh
export LD_LIBRARY_PATH='$libraries' FONTCONFIG_FILE='$box/fonts.conf'
exec '$box/usr/lib/chromium/chromium' "\$@"
SH
    chmod +x "$box/chromium"
    "$box/chromium" --headless --no-sandbox --disable-gpu --dump-dom about:blank >/dev/null 2>&1
}
