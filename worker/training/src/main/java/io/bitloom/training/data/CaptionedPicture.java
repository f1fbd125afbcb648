package io.bitloom.training.data;

import io.bitloom.engine.image.RgbImage;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/** A sample whose picture has not been read yet. */
public interface CaptionedPicture {
  /** Names the picture in messages. */
  String name();

  /** All its captions; none is null. */
  List<String> captions();

  /** One of the captions: the short one with a probability. */
  String caption(double shortProbability, RandomGenerator random);

  /**
   * What the picture is made of: another text wherever the picture may be another one.
   *
   * @throws IOException if there is no such picture
   */
  String version() throws IOException;

  /**
   * The picture in exactly this size.
   *
   * @param remarks takes what is odd about the picture, in words that are the same for all such
   * @throws IOException if it cannot be read
   */
  RgbImage picture(int width, int height, Consumer<String> remarks) throws IOException;
}
