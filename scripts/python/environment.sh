# shellcheck shell=bash
# Sourced by the scripts that compare with Python libraries, which set `root`.

# python_environment FOLDER REQUIREMENT…: makes a virtual environment in a git-ignored folder of the checkout, once, and sets
# `python` to its interpreter. Requirements after a `--no-deps` are installed without what they ask for.
python_environment() {
  # shellcheck disable=SC2154
  local folder="$root/$1"
  shift
  python="$folder/bin/python"
  local wanted="$*"
  [[ -x $python && -f $folder/requirements && $(<"$folder/requirements") == "$wanted" ]] && return
  command -v python3 >/dev/null || { echo "python3 with venv and pip is needed" >&2 && exit 69; }
  echo "installing $wanted into ${folder#"$root"/} (once)" >&2
  rm -rf -- "$folder"
  python3 -m venv "$folder" || { echo "python3 -m venv fails; on Debian and Ubuntu: apt-get install python3-venv" >&2 && exit 69; }
  local pip=("$python" -m pip install --quiet --disable-pip-version-check)
  local with=() without=() requirement plain=1
  for requirement in "$@"; do
    if [[ $requirement == --no-deps ]]; then plain=0; elif [[ $plain -eq 1 ]]; then with+=("$requirement"); else without+=("$requirement"); fi
  done
  "${pip[@]}" "${with[@]}" || exit 69
  [[ ${#without[@]} -eq 0 ]] || "${pip[@]}" --no-deps "${without[@]}" || exit 69
  printf '%s' "$wanted" >"$folder/requirements"
}

# The torch that scripts/bootstrap pins, and the torchvision of the same release. The torchvision wheel of PyPI is a CUDA build
# and would bring CUDA: nothing here needs its compiled operators.
torch_environment() {
  python_environment .venv-parity torch==2.13.0 numpy safetensors pillow onnx onnxruntime --no-deps torchvision==0.28.0
}

# width_transfer: sets `executable` to the program and `bench` to what measures beside it, built first unless $WIDTH_TRANSFER names one.
width_transfer() {
  executable=${WIDTH_TRANSFER:-}
  if [[ -z $executable ]]; then
    "$root/scripts/build" >&2
    executable="$root/.build/release/width-transfer"
  fi
  # shellcheck disable=SC2034  # for those who source this
  bench="$executable-bench"
  [[ -x $executable ]] || { echo "$executable is not there or cannot be run" >&2 && exit 66; }
}
