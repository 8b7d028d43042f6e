# What wasmill ships: OUT/python.wasm, python313.zip, wasmill.zip, NOTICE, and their digests in SHA256SUMS.
cp "$IN_REACTOR/python.wasm" "$IN_STDLIB/python313.zip" "$IN_PACKAGES/wasmill.zip" "$IN_NOTICE/NOTICE" "$OUT/"
cd "$OUT"
chmod 644 -- *
sha256sum python.wasm python313.zip wasmill.zip NOTICE >"$WORK/SHA256SUMS"
mv "$WORK/SHA256SUMS" .
