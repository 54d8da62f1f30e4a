#!/bin/sh
# Writes a header that has the page's parts as strings, with the sums by which a
# browser knows them.
# usage: embed.sh HTML CSS JS
set -eu

part() { # NAME FILE
  printf 'inline constexpr char %s[] = R"page_text(' "$1"
  cat "$2"
  printf ')page_text";\n'
}

sum() { # NAME FILE
  printf 'inline constexpr char %s[] = "' "$1"
  sha256sum <"$2" | cut -c 1-64 | tr a-f A-F | basenc -d --base16 | base64 | tr -d '\n'
  printf '";\n'
}

echo '// Made by embed.sh.'
echo '#ifndef MIGSTREAM_CODEC_PAGE_PAGE_TEXT_H_'
echo '#define MIGSTREAM_CODEC_PAGE_PAGE_TEXT_H_'
echo 'namespace migstream {'
part kPageBody "$1"
part kPageStyle "$2"
part kPageScript "$3"
sum kPageStyleSum "$2"
sum kPageScriptSum "$3"
echo '}  // namespace migstream'
echo '#endif  // MIGSTREAM_CODEC_PAGE_PAGE_TEXT_H_'
