#!/bin/sh
# usage: proto_text.sh PROTO...
# Prints the source that holds these files' texts: proto_text.h.
set -eu
echo '#include "inspect/proto_text.h"'
echo
echo 'namespace migstream {'
echo
echo 'std::span<const ProtoText> ProtoTexts() {'
echo '  static constexpr ProtoText kTexts[] = {'
for file
do
  printf '{"%s", R"PROTO(' "${file##*/}"
  cat "$file"
  echo ')PROTO"},'
done
echo '  };'
echo '  return kTexts;'
echo '}'
echo
echo '}  // namespace migstream'
