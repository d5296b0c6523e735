#!/usr/bin/env python3
"""Writes image layers and docker archives, with nothing but the standard library.

image.py layer FOLDER OUT.tar [BELOW.tar...]
    a layer of what the folder holds beyond the layers below it
image.py archive {TAG CONFIG_JSON LAYER.tar... --}...
    the images of those layers (from the lowest) as one archive on standard output; what they share is in it once
"""
import functools
import hashlib
import io
import json
import os
import sys
import tarfile


def same(one, other):
    """Whether two entries are the same file as far as its metadata tells: what a package manager changes has a new time."""
    return all(
        getattr(one, field) == getattr(other, field) for field in ("type", "mode", "uid", "gid", "linkname")
    ) and (one.isdir() or one.issym() or (one.size, int(one.mtime)) == (other.size, int(other.mtime)))


def layer(folder, out, *below):
    under = {}
    for path in below:
        with tarfile.open(path) as archive:
            under.update((entry.name, entry) for entry in archive)
    seen = set()
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as archive:
        for parent, folders, files in os.walk(folder):
            folders.sort()
            for name in sorted(folders + files):
                path = os.path.join(parent, name)
                entry = archive.gettarinfo(path, os.path.relpath(path, folder))
                if entry is None:  # a socket
                    continue
                entry.uname = entry.gname = ""
                entry.mode &= 0o7777  # as an archive has it, without the type
                seen.add(entry.name)
                if entry.name in under and same(entry, under[entry.name]):
                    continue
                if entry.isreg():
                    with open(path, "rb") as content:
                        archive.addfile(entry, content)
                else:
                    archive.addfile(entry)
        for name in sorted(under.keys() - seen):
            if os.path.dirname(name) in seen or not os.path.dirname(name):  # else its folder is gone as a whole
                parent, base = os.path.split(name)
                archive.addfile(tarfile.TarInfo(os.path.join(parent, ".wh." + base)))


@functools.cache
def digest(path):
    result = hashlib.sha256()
    with open(path, "rb") as content:
        while part := content.read(1 << 20):
            result.update(part)
    return result.hexdigest()


def add(archive, name, content):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def archive(*images):
    manifest, written = [], set()
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as result:
        while images:
            tag, config, *layers = images[: images.index("--")]
            images = images[len(layers) + 3 :]
            digests = [digest(path) for path in layers]
            image = {
                "created": "1970-01-01T00:00:00Z",
                "architecture": "amd64",
                "os": "linux",
                "config": json.loads(config),
                "rootfs": {"type": "layers", "diff_ids": ["sha256:" + each for each in digests]},
                "history": [{"created_by": os.path.basename(path)} for path in layers],
            }
            image = json.dumps(image).encode()
            name = hashlib.sha256(image).hexdigest() + ".json"
            add(result, name, image)
            for path, each in zip(layers, digests):
                if each not in written:
                    result.add(path, each + "/layer.tar")
                    written.add(each)
            manifest.append({"Config": name, "RepoTags": [tag], "Layers": [each + "/layer.tar" for each in digests]})
        add(result, "manifest.json", json.dumps(manifest).encode())


{"layer": layer, "archive": archive}[sys.argv[1]](*sys.argv[2:])
