// Unpack the packaged Chromium, the libraries it needs and its fonts: node unpack.mjs PACKAGE FOLDER
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const [source, target] = process.argv.slice(2);
const { extract } = createRequire(`${source}/package.json`)("tar-fs");
const unpack = (name, sink) => pipeline(createReadStream(`${source}/bin/${name}.br`), createBrotliDecompress(), sink);

await mkdir(target, { recursive: true });
await Promise.all([
  unpack("chromium", createWriteStream(`${target}/chromium`, { mode: 0o755 })),
  unpack("al2023.tar", extract(`${target}/libraries`)),
  unpack("fonts.tar", extract(`${target}/fonts`)),
]);
// The package's own configuration names folders of another machine: pages would show no text at all.
await writeFile(
  `${target}/fonts.conf`,
  `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>` +
    `<dir>/usr/share/fonts</dir><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>\n`,
);
