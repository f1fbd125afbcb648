/**
 * Pictures of files: as {@code Image.open(f).convert("RGB")} of Pillow gives them, which the
 * official loader uses. The JDK's and libwebp's decoders give samples; what these mean is decided
 * here.
 *
 * <p>Not part of the library's public face: may change in any release.
 */
package io.bitloom.engine.image.decode;
