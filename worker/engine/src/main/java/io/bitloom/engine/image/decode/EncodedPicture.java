package io.bitloom.engine.image.decode;

import io.bitloom.engine.image.RgbImage;
import java.awt.Rectangle;
import java.io.IOException;
import java.util.function.Consumer;

/** A picture whose header has been read, and whose pixels have not. */
interface EncodedPicture {
  /** What the header says. */
  PictureHeader header();

  /**
   * The pixels of a part, by Pillow's rules, whatever the orientation and the profile say.
   *
   * @param part of the stored picture, not empty
   * @param step takes every step-th pixel of every step-th row, from the middle of a step on
   * @param remarks takes what is wrong with the file, but not with its pixels
   * @throws IOException if pixels are missing or damaged
   */
  RgbImage read(Rectangle part, int step, Consumer<String> remarks) throws IOException;
}
