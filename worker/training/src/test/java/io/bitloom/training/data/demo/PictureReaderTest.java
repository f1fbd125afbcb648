package io.bitloom.training.data.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.image.RgbImage;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PictureReaderTest {
  private static final int PICTURES = 64;
  private static final DemoDataset HELD_OUT = DemoDataset.heldOut(31);
  private static final int FORMATS = DemoDataset.schedules(SizeClass.PIXELS_0_06M).size();
  private static final PictureReader READER = new PictureReader();

  private static List<DemoExample> examples() {
    return IntStream.range(0, PICTURES).mapToObj(HELD_OUT::example).toList();
  }

  private static List<Reading> readings(UnaryOperator<RgbImage> degrade) {
    DemoPictures pictures = new DemoPictures();
    return examples().parallelStream()
        .map(
            example ->
                READER.read(
                    degrade.apply(pictures.draw(example)),
                    example.schedule(),
                    example.composition().subjects().size()))
        .toList();
  }

  /** The share of pictures that are right in every way, each against example i + shift. */
  private static double right(List<Reading> readings, int shift) {
    List<DemoExample> examples = examples();
    return IntStream.range(0, PICTURES)
            .filter(
                i -> {
                  DemoExample other = examples.get((i + shift) % PICTURES);
                  var verdict = readings.get(i).against(other.composition(), other.schedule());
                  return verdict.things() && verdict.backdrop() && verdict.arrangement();
                })
            .count()
        / (double) PICTURES;
  }

  @Test
  void picturesAsTheyWereDrawnAreReadRightAndNotAsOtherPictures() {
    List<Reading> readings = readings(picture -> picture);
    assertTrue(right(readings, 0) >= 0.99, "right: " + right(readings, 0));
    // Shifted by a multiple of the schedules, pictures are compared with others of their format.
    assertTrue(right(readings, FORMATS) <= 0.05, "shuffled: " + right(readings, FORMATS));
  }

  @Test
  void blurredAndNoisyPicturesAreReadRight() {
    assertTrue(right(readings(PictureReaderTest::degraded), 0) >= 0.97);
  }

  @Test
  void anEmptyBackdropHasNoThings() {
    for (Backdrop backdrop : Backdrop.values()) {
      var schedule = DemoDataset.schedules(SizeClass.PIXELS_0_06M).get(3);
      RgbImage picture = degraded(DemoPictures.backdrop(backdrop, schedule));
      Reading reading = READER.read(picture, schedule, 1);
      assertEquals(backdrop, reading.backdrop());
      assertEquals(List.of(), reading.found());
    }
  }

  /** Box blur over 7×7 pixels, values rounded to 12 steps, and noise. */
  private static RgbImage degraded(RgbImage picture) {
    int width = picture.width();
    int height = picture.height();
    Random random = new Random(5);
    byte[] rgb = new byte[3 * width * height];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < 3; c++) {
          int sum = 0;
          for (int i = 0; i < 49; i++) {
            int row = Math.max(0, Math.min(height - 1, y + i / 7 - 3));
            int column = Math.max(0, Math.min(width - 1, x + i % 7 - 3));
            sum += picture.rgb()[3 * (row * width + column) + c] & 0xff;
          }
          double value = Math.round(sum / 49.0 / 23) * 23 + 8 * random.nextGaussian();
          rgb[3 * (y * width + x) + c] = (byte) Math.max(0, Math.min(255, value));
        }
      }
    }
    return new RgbImage(width, height, rgb);
  }
}
