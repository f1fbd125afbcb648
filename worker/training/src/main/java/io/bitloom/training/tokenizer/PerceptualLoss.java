package io.bitloom.training.tokenizer;

import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * How different two pictures look (LPIPS, arXiv 1801.03924): the distance of what VGG16 sees in
 * them after its five groups of convolutions, where every feature vector has length 1. With linear
 * heads each channel has a learned weight, without them all weigh the same.
 *
 * <p>Weights have torchvision's names, {@code features.0.weight} to {@code features.28.bias}, and
 * those of LPIPS, {@code lin0.model.1.weight} (1, C, 1, 1) to {@code lin4.model.1.weight}. Other
 * widths than VGG16's are taken as they come.
 */
final class PerceptualLoss implements AutoCloseable {
  /** Convolutions by their place in torchvision's list of layers, group by group. */
  private static final List<List<Integer>> GROUPS =
      List.of(
          List.of(0, 2),
          List.of(5, 7),
          List.of(10, 12, 14),
          List.of(17, 19, 21),
          List.of(24, 26, 28));

  private static final int KERNEL = 3;
  private static final long[] HALF = {2, 2};
  private static final double[] SHIFT = {-0.030, -0.088, -0.188};
  private static final double[] SCALE = {0.458, 0.448, 0.450};

  /** Keeps the gradient of a length finite where nothing is seen. */
  private static final double LEAST_SQUARE = 1e-20;

  private final double weight;
  private final Weights weights;
  private final Tensor shift1311;
  private final Tensor scale1311;

  private PerceptualLoss(double weight, Weights weights, TorchDevice device) {
    this.weight = weight;
    this.weights = weights;
    shift1311 = Scope.own(colours(SHIFT, device));
    scale1311 = Scope.own(colours(SCALE, device));
  }

  private static Tensor colours(double[] values, TorchDevice device) {
    return Tensors.to(Tensors.of(values, 1, 3, 1, 1), device, DType.F32);
  }

  /**
   * Reads the weights.
   *
   * @param weight of the distance in the loss of a training
   * @param heads file of the linear heads; null where they lie in the same file, or nowhere
   * @throws WeightsException naming file and tensor, if one is missing or does not fit
   */
  static PerceptualLoss read(double weight, Path vgg, Path heads, TorchDevice device) {
    Weights used = new Weights(vgg.toString());
    try (Weights stored = Checkpoints.open(vgg);
        Weights ofHeads = heads == null ? new Weights("no heads") : Checkpoints.open(heads)) {
      long channels = 3;
      for (int group = 0; group < GROUPS.size(); group++) {
        for (int layer : GROUPS.get(group)) {
          String name = "features." + layer;
          long out = stored.get(name + ".weight").size(0);
          Tensor kernel = stored.get(name + ".weight", out, channels, KERNEL, KERNEL);
          used.put(name + ".weight", Tensors.to(kernel, device, DType.F32));
          used.put(name + ".bias", Tensors.to(stored.get(name + ".bias", out), device, DType.F32));
          channels = out;
        }
        Weights source = heads == null ? stored : ofHeads;
        if (heads != null || source.has(head(group))) {
          Tensor head = source.get(head(group), 1, channels, 1, 1);
          used.put(head(group), Tensors.to(head, device, DType.F32));
        }
      }
      return new PerceptualLoss(weight, used, device);
    } catch (RuntimeException e) {
      used.close();
      throw e;
    }
  }

  private static String head(int group) {
    return "lin" + group + ".model.1.weight";
  }

  /** The weight of the distance in the loss. */
  double weight() {
    return weight;
  }

  /** The mean distance of pictures (B, 3, H, W) in [-1, 1], a scalar; gradients reach the first. */
  Tensor distance(Tensor reconstructions, Tensor pictures) {
    List<Tensor> found = features(reconstructions);
    List<Tensor> wanted = features(pictures.detach());
    Tensor distance = null;
    for (int group = 0; group < GROUPS.size(); group++) {
      Tensor squares = found.get(group).sub(wanted.get(group)).square(); // (B, C, h, w)
      Tensor weighed = weights.has(head(group)) ? squares.mul(weights.get(head(group))) : squares;
      Tensor mean = weighed.sum(1L).mean();
      distance = distance == null ? mean : distance.add(mean);
    }
    return distance;
  }

  /** What is seen after every group (B, C, h, w), each place's vector with length 1. */
  private List<Tensor> features(Tensor pictures) {
    List<Tensor> seen = new ArrayList<>();
    Tensor x = pictures.sub(shift1311).div(scale1311);
    for (List<Integer> group : GROUPS) {
      x = seen.isEmpty() ? x : torch.max_pool2d(x, HALF);
      for (int layer : group) {
        String name = "features." + layer;
        Tensor out = Nn.conv2d(x, weights.get(name + ".weight"), weights.get(name + ".bias"), 1, 1);
        x = Tensors.relu(out);
      }
      Tensor squares = x.square().sum(1L).unsqueeze(1); // (B, 1, h, w)
      seen.add(x.div(squares.add(new Scalar(LEAST_SQUARE)).sqrt()));
    }
    return seen;
  }

  @Override
  public void close() {
    shift1311.close();
    scale1311.close();
    weights.close();
  }
}
