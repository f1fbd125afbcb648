package io.bitloom.engine;

import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.engine.image.RgbImage;

/**
 * An image of a prompt.
 *
 * @param index 0 to the prompt's number of images − 1; with the seed it starts the random stream
 * @param pixels the raw pixels, 8-bit red, green and blue
 * @param format of {@code file}
 * @param file the encoded image, as it is written to disk; not copied
 * @param sha256 digest of {@code file}, 32 bytes; not copied
 */
public record EncodedImage(
    int index, RgbImage pixels, ImagePrompt.Format format, byte[] file, byte[] sha256) {}
