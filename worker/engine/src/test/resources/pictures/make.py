#!/usr/bin/python3
"""Makes the pictures of PicturesAsPillowTest, and what Pillow reads in them.

Needs Debian's python3-pil (9.4 was used) and libjpeg-turbo-progs. Writes one file per kind of
picture beside itself, their pixels one after the other into expected.rgb, and matrix.tsv:
file, width, height, largest difference that is allowed.

Pillow's convert("RGB") is what counts, with one exception: 16-bit grey, whose values Pillow
clips at 255, is right as the upper byte, as Pillow reads 16-bit grey with alpha and 16-bit RGB.
"""

import io
import math
import pathlib
import struct
import subprocess
import zlib

from PIL import Image, ImageDraw

HERE = pathlib.Path(__file__).parent
LOSSLESS, LOSSY = 1, 3


def drawing(width=48, height=32):
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            image.putpixel(
                (x, y),
                (
                    255 * x // max(1, width - 1),
                    255 * y // max(1, height - 1),
                    int(127 + 120 * math.sin(0.2 * x + 0.1 * y)),
                ),
            )
    draw = ImageDraw.Draw(image)
    draw.ellipse((width // 4, height // 4, width // 2, height * 3 // 4), fill=(240, 220, 60))
    draw.rectangle((width * 2 // 3, height // 5, width * 5 // 6, height // 2), fill=(220, 40, 40))
    return image


def alpha(image):
    mask = Image.linear_gradient("L").resize(image.size)
    image = image.copy()
    image.putalpha(mask)
    return image


# --- files that Pillow does not write -----------------------------------------------------------


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def packed(rows, bits):
    """Rows of lists of samples as PNG's scan lines without a filter."""
    lines = b""
    for row in rows:
        if bits == 16:
            line = b"".join(struct.pack(">H", v) for v in row)
        else:
            value = "".join(format(v, f"0{bits}b") for v in row)
            value += "0" * (-len(value) % 8)
            line = bytes(int(value[i : i + 8], 2) for i in range(0, len(value), 8))
        lines += b"\0" + line
    return lines


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(pixels, bits, colour, interlaced=False, more=()):
    """pixels: rows of tuples of samples; colour: PNG's colour type."""
    height, width = len(pixels), len(pixels[0])
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    data = b""
    for x0, y0, dx, dy in passes:
        rows = [[s for p in row[x0::dx] for s in p] for row in pixels[y0::dy]]
        if rows and rows[0]:
            data += packed(rows, bits)
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    for kind, value in more:
        file += chunk(kind, value)
    return file + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")


def samples(bits, bands, width=37, height=29):
    most = 2**bits - 1
    return [
        [
            tuple((most * (x * (3 + b) + y * (5 - b)) // (3 * width + 5 * height) * (b + 1)) % (most + 1) for b in range(bands))
            for x in range(width)
        ]
        for y in range(height)
    ]


def palette(entries):
    return bytes(v for i in range(entries) for v in ((37 * i) % 256, (255 - 11 * i) % 256, (90 + 53 * i) % 256))


def bmp(width, height, bits, data, compression=0, colours=b"", masks=b""):
    offset = 14 + 40 + len(masks) + len(colours)
    header = b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset)
    header += struct.pack(
        "<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 2835, 2835, len(colours) // 4, 0
    )
    return header + masks + colours + data


def bmp_palette(entries):
    p = palette(entries)
    return b"".join(bytes((p[3 * i + 2], p[3 * i + 1], p[3 * i], 0)) for i in range(entries))


def tiff(width, height, strips, tags, order="<"):
    """Strips of bytes with tags (number, type, values); types 3 (short) and 4 (long)."""
    offsets, data = [], b""
    for strip in strips:
        offsets.append(8 + len(data))
        data += strip + b"\0" * (len(strip) % 2)
    entries = {256: (4, [width]), 257: (4, [height]), 273: (4, offsets), 279: (4, [len(s) for s in strips])}
    entries.update({number: (kind, values) for number, kind, values in tags})
    directory, extra = b"", b""
    after = 8 + len(data) + 2 + 12 * len(entries) + 4
    for number, (kind, values) in sorted(entries.items()):
        value = struct.pack(order + ("H" if kind == 3 else "I") * len(values), *values)
        if len(value) > 4:
            directory += struct.pack(order + "HHII", number, kind, len(values), after + len(extra))
            extra += value + b"\0" * (len(value) % 2)
        else:
            directory += struct.pack(order + "HHI", number, kind, len(values)) + value.ljust(4, b"\0")
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8 + len(data))
    return head + data + struct.pack(order + "H", len(entries)) + directory + struct.pack(order + "I", 0) + extra


# --- the matrix ---------------------------------------------------------------------------------


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def cjpeg(image, *options):
    return subprocess.run(["cjpeg", "-quality", "90", *options], input=saved(image, "PPM"), stdout=subprocess.PIPE, check=True).stdout


def jpegs():
    image, odd = drawing(), drawing(37, 29)
    for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
        yield f"jpeg-{name}.jpg", saved(image, "JPEG", quality=90, subsampling=subsampling)
        yield f"jpeg-{name}-odd.jpg", saved(odd, "JPEG", quality=85, subsampling=subsampling)
        yield f"jpeg-{name}-progressive.jpg", saved(odd, "JPEG", quality=85, subsampling=subsampling, progressive=True)
    yield "jpeg-440.jpg", cjpeg(image, "-sample", "1x2")
    yield "jpeg-440-odd.jpg", cjpeg(odd, "-sample", "1x2")
    yield "jpeg-411.jpg", cjpeg(image, "-sample", "4x1")
    yield "jpeg-restarts.jpg", cjpeg(odd, "-restart", "1")
    yield "jpeg-rgb.jpg", cjpeg(image, "-rgb")
    yield "jpeg-grey.jpg", saved(image.convert("L"), "JPEG", quality=90)
    yield "jpeg-grey-progressive.jpg", saved(odd.convert("L"), "JPEG", quality=90, progressive=True)
    cmyk = saved(image.convert("CMYK"), "JPEG", quality=95)
    yield "jpeg-cmyk.jpg", cmyk
    yield "jpeg-cmyk-progressive.jpg", saved(odd.convert("CMYK"), "JPEG", quality=95, progressive=True)
    marker = cmyk.index(b"Adobe") + 11
    yield "jpeg-ycck.jpg", cmyk[:marker] + b"\x02" + cmyk[marker + 1 :]
    yield "jpeg-cmyk-no-marker.jpg", cmyk[:2] + cmyk[marker + 1 :]
    yield "jpeg-one-pixel.jpg", saved(drawing(1, 1), "JPEG")
    yield "jpeg-lone-line.jpg", saved(drawing(48, 1), "JPEG", subsampling=2)
    yield "jpeg-lone-column.jpg", cjpeg(drawing(1, 32), "-sample", "1x2")
    yield "jpeg-after-it-other-bytes.jpg", saved(image, "JPEG", quality=90) + b"motion picture"


def pngs():
    for bits in (1, 2, 4, 8, 16):
        yield f"png-grey-{bits}.png", png(samples(bits, 1), bits, 0)
        yield f"png-grey-{bits}-interlaced.png", png(samples(bits, 1), bits, 0, True)
    for bits in (1, 2, 4, 8):
        entries = [(b"PLTE", palette(2**bits))]
        yield f"png-palette-{bits}.png", png(samples(bits, 1), bits, 3, more=entries)
        clear = entries + [(b"tRNS", bytes(range(0, 2**bits)))]
        yield f"png-palette-{bits}-clear-interlaced.png", png(samples(bits, 1), bits, 3, True, clear)
    for bits in (8, 16):
        for name, colour, bands in (("rgb", 2, 3), ("grey-alpha", 4, 2), ("rgba", 6, 4)):
            yield f"png-{name}-{bits}.png", png(samples(bits, bands), bits, colour)
            yield f"png-{name}-{bits}-interlaced.png", png(samples(bits, bands), bits, colour, True)
    yield "png-grey-8-clear.png", png(samples(8, 1), 8, 0, more=[(b"tRNS", struct.pack(">H", 40))])
    yield "png-rgb-8-clear.png", png(samples(8, 3), 8, 2, more=[(b"tRNS", struct.pack(">HHH", 0, 0, 0))])
    yield "png-gamma.png", png(samples(8, 3), 8, 2, more=[(b"gAMA", struct.pack(">I", 100000))])


def webps():
    image = drawing()
    yield "webp-lossy.webp", saved(image, "WEBP", quality=90)
    yield "webp-lossy-odd.webp", saved(drawing(37, 29), "WEBP", quality=90)
    yield "webp-lossless.webp", saved(image, "WEBP", lossless=True)
    yield "webp-lossy-alpha.webp", saved(alpha(image), "WEBP", quality=90, exact=True)
    yield "webp-lossless-alpha.webp", saved(alpha(image), "WEBP", lossless=True, exact=True)
    frames = [drawing(), drawing().transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    yield "webp-animation-lossless.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    yield "webp-animation-lossy.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=90)


def gif(width, height, at, size, entries, local=False, clear=None, interlaced=False):
    """A first frame of its own size and place, with LZW codes that never grow."""
    table = palette(entries)
    flags = 0xF0 | (entries.bit_length() - 2)
    file = b"GIF89a" + struct.pack("<HHBBB", width, height, flags, 3, 0) + table
    if clear is not None:
        file += b"\x21\xf9\x04" + struct.pack("<BHB", 1, 0, clear) + b"\0"
    bits = max(2, entries.bit_length() - 1)
    descriptor = (0x80 | (entries.bit_length() - 2) if local else 0) | (0x40 if interlaced else 0)
    file += b"\x2c" + struct.pack("<HHHHB", *at, *size, descriptor)
    if local:
        file += table[::-1]
    codes, run = [], 2**bits - 2
    for i in range(size[0] * size[1]):
        if i % run == 0:
            codes.append(2**bits)
        codes.append((i % size[0] + 2 * (i // size[0])) % entries)
    codes.append(2**bits + 1)
    value = sum(code << (i * (bits + 1)) for i, code in enumerate(codes))
    data = value.to_bytes((len(codes) * (bits + 1) + 7) // 8, "little")
    file += bytes([bits])
    for i in range(0, len(data), 255):
        part = data[i : i + 255]
        file += bytes([len(part)]) + part
    return file + b"\0\x3b"


def gifs():
    yield "gif-whole.gif", gif(48, 32, (0, 0), (48, 32), 16)
    yield "gif-interlaced.gif", gif(48, 29, (0, 0), (48, 29), 16, interlaced=True)
    yield "gif-smaller-first-frame.gif", gif(48, 32, (10, 6), (20, 17), 16)
    yield "gif-smaller-clear.gif", gif(48, 32, (10, 6), (20, 17), 16, clear=5)
    yield "gif-smaller-local.gif", gif(48, 32, (28, 15), (20, 17), 8, local=True)
    yield "gif-clear.gif", gif(48, 32, (0, 0), (48, 32), 4, clear=2)
    yield "gif-grey.gif", saved(drawing().convert("L"), "GIF")
    frames = [drawing().quantize(16), drawing().transpose(Image.Transpose.FLIP_LEFT_RIGHT).quantize(16)]
    yield "gif-animation.gif", saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


def bmps():
    image = drawing(37, 29)
    yield "bmp-1.bmp", saved(image.convert("1"), "BMP")
    yield "bmp-grey.bmp", saved(image.convert("L"), "BMP")
    yield "bmp-palette.bmp", saved(image.quantize(64), "BMP")
    yield "bmp-24.bmp", saved(image, "BMP")
    yield "bmp-32.bmp", saved(alpha(image), "BMP")
    rows = [[(5 * x + 7 * y) % 16 for x in range(37)] + [0] * 3 for y in range(29)]
    four = b"".join(bytes(r[i] << 4 | r[i + 1] for i in range(0, 40, 2)) for r in rows)
    yield "bmp-4.bmp", bmp(37, 29, 4, four, colours=bmp_palette(16))
    sixteen = b"".join(struct.pack("<H", (1777 * i) % 32768) for i in range(38 * 29))
    yield "bmp-16-555.bmp", bmp(38, 29, 16, sixteen)
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    yield "bmp-16-565.bmp", bmp(38, 29, 16, sixteen, 3, masks=masks)
    yield "bmp-top-down.bmp", bmp(38, -29, 16, sixteen)
    rle = b"".join(bytes((20, y % 16, 17, (y + 5) % 16, 0, 0)) for y in range(29)) + b"\0\1"
    yield "bmp-rle8.bmp", bmp(37, 29, 8, rle, 1, colours=bmp_palette(16))


def tiffs():
    image = drawing(37, 29)
    for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        options = {} if name == "raw" else {"compression": name}
        yield f"tiff-rgb-{name}.tif", saved(image, "TIFF", **options)
    yield "tiff-grey.tif", saved(image.convert("L"), "TIFF")
    yield "tiff-1.tif", saved(image.convert("1"), "TIFF")
    yield "tiff-1-group4.tif", saved(image.convert("1"), "TIFF", compression="group4")
    yield "tiff-palette.tif", saved(image.quantize(64), "TIFF")
    yield "tiff-rgba.tif", saved(alpha(image), "TIFF", compression="tiff_lzw")
    yield "tiff-grey-alpha.tif", saved(alpha(image.convert("L")), "TIFF")
    yield "tiff-cmyk.tif", saved(image.convert("CMYK"), "TIFF")
    yield "tiff-jpeg.tif", saved(image, "TIFF", compression="jpeg", quality=90)
    raw = image.tobytes()
    planes = [bytes(raw[b::3]) for b in range(3)]
    rgb = [(258, 3, [8, 8, 8]), (259, 3, [1]), (262, 3, [2]), (277, 3, [3])]
    yield "tiff-planes.tif", tiff(37, 29, planes, rgb + [(278, 4, [29]), (284, 3, [2])])
    yield "tiff-big-endian-strips.tif", tiff(
        37, 29, [raw[i : i + 37 * 3 * 8] for i in range(0, len(raw), 37 * 3 * 8)], rgb + [(278, 4, [8])], ">"
    )
    white = [(258, 3, [8]), (259, 3, [1]), (262, 3, [0]), (277, 3, [1]), (278, 4, [29])]
    yield "tiff-white-is-zero.tif", tiff(37, 29, [image.convert("L").tobytes()], white)
    grey16 = b"".join(struct.pack("<H", (61 * i) % 65536) for i in range(37 * 29))
    yield "tiff-grey-16.tif", tiff(37, 29, [grey16], [(258, 3, [16]), (259, 3, [1]), (262, 3, [1]), (277, 3, [1]), (278, 4, [29])])


def expected(name, file):
    image = Image.open(io.BytesIO(file))
    if image.mode in ("I", "I;16", "I;16B"):
        values = bytes(v >> 8 for v in image.getdata())
        return Image.frombytes("L", image.size, values).convert("RGB")
    return image.convert("RGB")


def main():
    matrix, pixels = [], b""
    for kind in (jpegs(), pngs(), webps(), gifs(), bmps(), tiffs()):
        for name, file in kind:
            image = expected(name, file)
            lossy = name.startswith("jpeg") or "lossy" in name or name == "tiff-jpeg.tif"
            matrix.append(f"{name}\t{image.width}\t{image.height}\t{LOSSY if lossy else LOSSLESS}\n")
            pixels += image.tobytes()
            (HERE / name).write_bytes(file)
    (HERE / "matrix.tsv").write_text("".join(matrix))
    (HERE / "expected.rgb").write_bytes(pixels)
    print(len(matrix), "pictures,", len(pixels), "bytes of pixels")


main()
