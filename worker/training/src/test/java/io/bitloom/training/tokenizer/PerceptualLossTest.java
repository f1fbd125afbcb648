package io.bitloom.training.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.checkpoint.RuleTensor;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PerceptualLossTest {
  private static final int SIDE = 16;
  private static final List<Integer> LAYERS =
      List.of(0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28);
  private static final List<Integer> LAST_OF_GROUP = List.of(2, 7, 14, 21, 28);

  @TempDir private Path folder;

  /** A VGG16 with few channels, which grow from group to group. */
  static Weights vgg(boolean heads) {
    Weights weights = new Weights("small VGG");
    int in = 3;
    int group = 0;
    for (int layer : LAYERS) {
      int out = 2 + group;
      put(weights, "features." + layer + ".weight", 0.1, 0.5, out, in, 3, 3);
      put(weights, "features." + layer + ".bias", 0.1, 0.2, out);
      if (LAST_OF_GROUP.contains(layer)) {
        if (heads) {
          put(weights, "lin" + group + ".model.1.weight", 0.5, 0.5, 1, out, 1, 1);
        }
        group++;
      }
      in = out;
    }
    return weights;
  }

  private static void put(
      Weights weights, String name, double offset, double scale, long... shape) {
    weights.put(name, new RuleTensor(name, shape, offset, scale).generate(5));
  }

  private Path write(Weights weights) throws IOException {
    Path file = folder.resolve("vgg.safetensors");
    SafetensorsWriter.write(file, weights, Map.of());
    return file;
  }

  private static Tensor picture(String name) {
    return new RuleTensor(name, new long[] {1, 3, SIDE, SIDE}, 0, 1).generate(3);
  }

  @Test
  void theDistanceIsThatOfTheFormulaWithAndWithoutHeads() throws IOException {
    for (boolean heads : List.of(true, false)) {
      try (Scope scope = Scope.open();
          Weights weights = vgg(heads);
          PerceptualLoss loss = PerceptualLoss.read(1, write(weights), null, TorchDevice.CPU)) {
        Tensor a = picture("a");
        Tensor b = picture("b");
        double expected = distance(weights, Tensors.floats(a), Tensors.floats(b));
        assertEquals(expected, loss.distance(a, b).item_double(), 1e-5 * expected);
        assertEquals(0, loss.distance(a, a).item_double());
      }
    }
  }

  @Test
  void gradientsReachTheReconstructionAndAreFinite() throws IOException {
    try (Scope scope = Scope.open();
        Weights weights = vgg(true);
        PerceptualLoss loss = PerceptualLoss.read(1, write(weights), null, TorchDevice.CPU)) {
      Tensor a = picture("a").set_requires_grad(true);
      loss.distance(a, picture("b")).backward();
      assertTrue(Tensors.isFinite(a.grad()));
      assertTrue(a.grad().abs().sum().item_double() > 0);
    }
  }

  @Test
  void aLayerThatDoesNotFitIsNamed() throws IOException {
    try (Scope scope = Scope.open();
        Weights weights = vgg(false)) {
      weights.take("features.12.bias", 4).close();
      Path file = write(weights);
      WeightsException fault =
          assertThrows(
              WeightsException.class, () -> PerceptualLoss.read(1, file, null, TorchDevice.CPU));
      assertTrue(fault.getMessage().contains("features.12.bias"), fault.getMessage());
    }
  }

  // ---- The formula in loops ----

  private static double distance(Weights weights, float[] a, float[] b) {
    double sum = 0;
    double[][] x = scaled(a);
    double[][] y = scaled(b);
    int side = SIDE;
    int group = 0;
    for (int layer : LAYERS) {
      if (startsGroup(layer)) {
        x = pooled(x, side);
        y = pooled(y, side);
        side /= 2;
      }
      x = convolved(weights, layer, x, side);
      y = convolved(weights, layer, y, side);
      if (LAST_OF_GROUP.contains(layer)) {
        String head = "lin" + group++ + ".model.1.weight";
        float[] w = weights.has(head) ? Tensors.floats(weights.get(head)) : null;
        for (int at = 0; at < side * side; at++) {
          double lengthX = length(x, at);
          double lengthY = length(y, at);
          for (int c = 0; c < x.length; c++) {
            double difference = x[c][at] / lengthX - y[c][at] / lengthY;
            sum += (w == null ? 1 : w[c]) * difference * difference / (side * side);
          }
        }
      }
    }
    return sum;
  }

  private static boolean startsGroup(int layer) {
    return List.of(5, 10, 17, 24).contains(layer);
  }

  private static double length(double[][] x, int at) {
    double squares = 1e-20;
    for (double[] channel : x) {
      squares += channel[at] * channel[at];
    }
    return Math.sqrt(squares);
  }

  private static double[][] scaled(float[] picture) {
    double[] shift = {-0.030, -0.088, -0.188};
    double[] scale = {0.458, 0.448, 0.450};
    double[][] x = new double[3][SIDE * SIDE];
    for (int i = 0; i < picture.length; i++) {
      int c = i / (SIDE * SIDE);
      x[c][i % (SIDE * SIDE)] = (picture[i] - shift[c]) / scale[c];
    }
    return x;
  }

  private static double[][] pooled(double[][] x, int side) {
    int half = side / 2;
    double[][] out = new double[x.length][half * half];
    for (int c = 0; c < x.length; c++) {
      for (int i = 0; i < half * half; i++) {
        int at = 2 * (i / half) * side + 2 * (i % half);
        out[c][i] =
            Math.max(
                Math.max(x[c][at], x[c][at + 1]), Math.max(x[c][at + side], x[c][at + side + 1]));
      }
    }
    return out;
  }

  private static double[][] convolved(Weights weights, int layer, double[][] x, int side) {
    float[] kernel = Tensors.floats(weights.get("features." + layer + ".weight"));
    float[] bias = Tensors.floats(weights.get("features." + layer + ".bias"));
    double[][] out = new double[bias.length][side * side];
    for (int o = 0; o < bias.length; o++) {
      for (int row = 0; row < side; row++) {
        for (int column = 0; column < side; column++) {
          double sum = bias[o];
          for (int i = 0; i < x.length; i++) {
            for (int k = 0; k < 9; k++) {
              int r = row + k / 3 - 1;
              int c = column + k % 3 - 1;
              if (r >= 0 && r < side && c >= 0 && c < side) {
                sum += kernel[(o * x.length + i) * 9 + k] * x[i][r * side + c];
              }
            }
          }
          out[o][row * side + column] = Math.max(0, sum);
        }
      }
    }
    return out;
  }
}
