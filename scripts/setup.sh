# shellcheck shell=bash
# What run.sh and test.sh share: a Python, its .venv, and packages into it. Sourced, from the project's root.

ROOT=$PWD

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }
has() { command -v "$1" >/dev/null 2>&1; }

# apt-get with its state in a folder of our own: it downloads without root, whatever lists the system has.
apt_private() {
    local state=$ROOT/.cache/apt
    mkdir -p "$state/lists/partial" "$state/archives/partial"
    apt-get -qq -o Debug::NoLocking=1 -o APT::Sandbox::User= -o Dir::Cache="$state" \
        -o Dir::Cache::archives="$state/archives" -o Dir::State::lists="$state/lists" "$@" </dev/null
}

# apt_install PACKAGE...: as root, the ordinary way; silent unless it fails. A broken extra list is no reason to stop.
apt_install() {
    local said
    apt-get -qq update >/dev/null 2>&1 || true
    said=$(DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" </dev/null 2>&1) || {
        say "$said"
        return 1
    }
}

python_fits() { "$1" -c 'import sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11 python3.10 /usr/bin/python3; do
        if has "$name" && python_fits "$name"; then
            command -v "$name"
            return
        fi
    done
    fail "This needs Python 3.10 to 3.13, and none is here: install one (on Debian: apt-get install python3 python3-venv)."
}

venv_works() { [ -x .venv/bin/python ] && python_fits .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; }

# A .venv with pip in it, also where Debian's python3-venv is missing.
make_venv() {
    venv_works && return
    local python
    python=$(find_python)
    rm -rf .venv
    "$python" -m venv .venv >/dev/null 2>&1 && venv_works && return
    if is_root && has apt-get; then
        apt_install "python3-venv" || true
        "$python" -m venv --clear .venv >/dev/null 2>&1 && venv_works && return
    fi
    # Without ensurepip: an empty environment, and pip run once out of Debian's own wheel of it.
    if "$python" -m venv --clear --without-pip .venv 2>/dev/null && has apt-get && has dpkg-deb; then
        local box=$ROOT/.cache/pip-wheel
        rm -rf "$box" && mkdir -p "$box"
        apt_private update >/dev/null 2>&1 || true
        (cd "$box" && apt_private download python3-pip-whl) >/dev/null 2>&1 || true
        for package in "$box"/*.deb; do [ -e "$package" ] && dpkg-deb -x "$package" "$box"; done
        for wheel in "$box"/usr/share/python-wheels/pip-*.whl; do
            [ -e "$wheel" ] && PYTHONPATH=$wheel .venv/bin/python -m pip install -q "pip>=24.1"
        done
        rm -rf "$box" .cache/apt
        venv_works && return
    fi
    rm -rf .venv
    fail "Python cannot make a virtual environment here: install its venv package (on Debian: apt-get install python3-venv), then run this again."
}

# bring_library NAME PACKAGE: a shared library that a Python package expects the system to have, out of Debian's PACKAGE:
# installed as root, else unpacked into .venv/lib, where run.sh and test.sh have programs look.
bring_library() {
    local name=$1 package=$2 box=$ROOT/.cache/library
    export LD_LIBRARY_PATH=$ROOT/.venv/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    library_loads "$name" && return
    if is_root && has apt-get && apt_install "$package" && library_loads "$name"; then return; fi
    if has apt-get && has dpkg-deb; then
        rm -rf "$box" && mkdir -p "$box"
        apt_private update >/dev/null 2>&1 || true
        (cd "$box" && apt_private download "$package") >/dev/null 2>&1 || true
        for package in "$box"/*.deb; do [ -e "$package" ] && dpkg-deb -x "$package" "$box"; done
        find "$box/usr/lib" -name "$name*" -exec cp -P {} .venv/lib/ \; 2>/dev/null
        rm -rf "$box" .cache/apt
        library_loads "$name" && return
    fi
    fail "The library $name is missing here: install it (on Debian: apt-get install $2), then run this again."
}

library_loads() { .venv/bin/python -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" 2>/dev/null; }

# install NAME FILE...: the requirements files into .venv, once for each content.
install_requirements() {
    local name=$1 stamp
    shift
    stamp=$(.venv/bin/python -c 'import sys; print(sys.version)' | cat - "$@" | sha256sum)
    [ "$(cat ".venv/.$name" 2>/dev/null)" = "$stamp" ] && return
    .venv/bin/python -m pip install -q --disable-pip-version-check "pip>=24.1" || true # the old one of ensurepip works too
    local files=()
    for file in "$@"; do files+=(-r "$file"); done
    .venv/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off "${files[@]}" |
        sed -un 's/^ *Downloading \([^ ]*\) \(([0-9.]* MB)\)$/      \1 \2/p; s/^Installing collected packages.*/      unpacking …/p' >&2 ||
        fail "The Python packages could not be installed (the lines above say why): check the network connection, then run this again."
    printf '%s\n' "$stamp" >".venv/.$name"
}
