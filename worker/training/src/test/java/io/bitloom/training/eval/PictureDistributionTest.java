package io.bitloom.training.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.training.data.demo.DemoDataset;
import io.bitloom.training.data.demo.DemoPictures;
import java.util.Arrays;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class PictureDistributionTest {
  private static final int PICTURES = 80;

  private static PictureDistribution heldOut(long seed, UnaryOperator<RgbImage> change) {
    PictureDistribution distribution = new PictureDistribution();
    DemoPictures pictures = new DemoPictures();
    for (int i = 0; i < PICTURES; i++) {
      distribution.add(change.apply(pictures.draw(DemoDataset.heldOut(seed).example(i))));
    }
    return distribution;
  }

  /** One in twelve blocks of 16×16 pixels has the colours of another, as where tokens are wrong. */
  private static RgbImage withWrongTokens(RgbImage picture) {
    Random random = new Random(Arrays.hashCode(picture.rgb()));
    byte[] rgb = picture.rgb().clone();
    int columns = picture.width() / 16;
    int blocks = columns * (picture.height() / 16);
    for (int block = 0; block < blocks; block++) {
      if (random.nextInt(12) == 0) {
        int from = random.nextInt(blocks);
        for (int y = 0; y < 16; y++) {
          System.arraycopy(
              picture.rgb(),
              offset(picture, from, columns, y),
              rgb,
              offset(picture, block, columns, y),
              48);
        }
      }
    }
    return new RgbImage(picture.width(), picture.height(), rgb);
  }

  private static int offset(RgbImage picture, int block, int columns, int y) {
    return 3 * ((block / columns * 16 + y) * picture.width() + block % columns * 16);
  }

  /** Of 2×2 matrices, tr M^½ = √(tr M + 2√det M). */
  @Test
  void theDistanceIsThatOfTheFormula() {
    try (Scope scope = Scope.open()) {
      Tensor mean1 = Tensors.of(new double[] {0, 1}, 2);
      Tensor mean2 = Tensors.of(new double[] {3, -3}, 2);
      Tensor covariance1 = Tensors.of(new double[] {2, 0.5, 0.5, 1}, 2, 2);
      Tensor covariance2 = Tensors.of(new double[] {1, -0.8, -0.8, 3}, 2, 2);
      double product = 2 * 1 + 2 * 0.5 * -0.8 + 1 * 3; // tr C₁C₂
      double determinant = (2 * 1 - 0.25) * (1 * 3 - 0.64);
      assertEquals(
          25 + 3 + 4 - 2 * Math.sqrt(product + 2 * Math.sqrt(determinant)),
          PictureDistribution.squaredDistance(mean1, covariance1, mean2, covariance2),
          1e-12);
    }
  }

  @Test
  void featuresAreMeanColourAndSpreadOfTheParts() {
    byte[] rgb = new byte[3 * 64 * 32]; // black, and white in the lower half of the last part
    for (int y = 28; y < 32; y++) {
      Arrays.fill(rgb, 3 * (y * 64 + 48), 3 * (y * 64 + 64), (byte) 255);
    }
    double[] features = PictureDistribution.features(new RgbImage(64, 32, rgb));
    double[] expected = new double[PictureDistribution.FEATURES];
    expected[60] = 0.5; // L of white is 1
    expected[63] = 0.5;
    assertArrayEquals(expected, features, 1e-6);
  }

  @Test
  void picturesWithWrongTokensAreFartherAwayThanOtherPicturesOfTheSet() {
    PictureDistribution set = heldOut(1, picture -> picture);
    assertEquals(0, set.squaredDistance(set), 1e-9);
    double others = set.squaredDistance(heldOut(2, picture -> picture));
    double wrong = set.squaredDistance(heldOut(2, PictureDistributionTest::withWrongTokens));
    assertTrue(others > 0 && wrong > others, wrong + " against " + others);
  }

  /** Greys of L 0, 0.1, 0.2, 0.3, 0.4: the third neighbour is 0.3 away, or 0.2 in the middle. */
  @Test
  void precisionIsTheShareWithinTheThirdNeighboursDistance() {
    PictureDistribution greys = greys(0, 0.1, 0.2, 0.3, 0.4);
    assertEquals(1, greys.precision(greys));
    assertEquals(0.75, greys(0.21, 0.39, 0.69, 0.72).precision(greys));
    assertThrows(IllegalStateException.class, () -> greys.precision(greys(0, 0.1, 0.2)));
  }

  /** Evenly grey pictures of a lightness in Oklab, which is the cube root of linear light. */
  private static PictureDistribution greys(double... lightness) {
    PictureDistribution greys = new PictureDistribution();
    for (double l : lightness) {
      double linear = l * l * l;
      double v = linear <= 0.0031308 ? 12.92 * linear : 1.055 * Math.pow(linear, 1 / 2.4) - 0.055;
      byte[] rgb = new byte[768];
      Arrays.fill(rgb, (byte) Math.round(255 * v));
      greys.add(new RgbImage(16, 16, rgb));
    }
    return greys;
  }

  @Test
  void aSetOfOnePictureHasNoCovariance() {
    PictureDistribution one = new PictureDistribution();
    one.add(new RgbImage(16, 16, new byte[768]));
    assertThrows(IllegalStateException.class, () -> one.squaredDistance(one));
  }
}
