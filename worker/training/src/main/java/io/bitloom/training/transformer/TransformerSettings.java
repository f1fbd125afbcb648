package io.bitloom.training.transformer;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityLayout;
import io.bitloom.engine.nn.LowRank;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.training.optim.AdamW;
import io.bitloom.training.optim.LearningRate;
import io.bitloom.training.optim.Muon;
import java.util.List;

/**
 * How a transformer is trained.
 *
 * @param architecture of the transformer
 * @param objective what it is trained to do
 * @param adamW constants of the optimizer
 * @param muon of the optimizer that takes the blocks' matrices; null where AdamW does
 * @param learningRate over the run
 * @param clip largest global norm of the gradients; 0 for no clipping
 * @param averageDecay decay of the moving average of the weights
 * @param exportAverage whether the finished model has the averaged weights
 * @param partTokens image tokens that go through the model at a time; a larger batch is cut into
 *     parts whose gradients are added
 * @param recompute whether activations of the blocks are recomputed on the way back
 * @param device where it is trained
 * @param precision what linear layers and attention compute in
 * @param seed of all random draws
 * @param steps of the whole run
 * @param pictures prompts of the sample grid
 * @param lora low-rank changes that are learnt instead of the weights; null for none
 */
public record TransformerSettings(
    InfinityConfig architecture,
    Objective objective,
    AdamW.Settings adamW,
    Muon.Settings muon,
    LearningRate learningRate,
    double clip,
    double averageDecay,
    boolean exportAverage,
    int partTokens,
    boolean recompute,
    TorchDevice device,
    DType precision,
    long seed,
    long steps,
    List<String> pictures,
    Lora lora) {
  /** Copies the list. */
  public TransformerSettings {
    pictures = List.copyOf(pictures);
  }

  /** Whether gradients are for a tensor of the model. */
  boolean learns(String name) {
    return lora == null ? !InfinityLayout.isBuffer(name) : LowRank.learns(name);
  }

  /**
   * Floating-point operations that learning from one picture needs: forwards, backwards through the
   * layers and, unless their matrices stay as they are, once more for the changes of these. Text
   * layers and low-rank changes are left out.
   */
  double flops(List<Scale> scales) {
    return (lora == null ? 3 : 2) * forwardFlops(scales);
  }

  /**
   * Operations that learning from one picture repeats on the way back: the blocks once more
   * forwards.
   */
  double recomputedFlops(List<Scale> scales) {
    return recompute ? blockFlops(scales) : 0;
  }

  private double forwardFlops(List<Scale> scales) {
    double tokens = scales.stream().mapToLong(Scale::tokens).sum();
    return blockFlops(scales)
        + 2 * tokens * architecture.embedDim() * architecture.logitsPerToken();
  }

  private double blockFlops(List<Scale> scales) {
    double tokens = scales.stream().mapToLong(Scale::tokens).sum();
    double width = architecture.embedDim();
    double feedForward = (architecture.swiGlu() ? 3 : 2) * width * architecture.mlpWidth();
    double matrices = 4 * width * width + 2 * width * width + feedForward;
    List<Integer> ends = Scale.ends(scales);
    double scores = 0; // of queries with the keys that they see: 62 % of tokens² at 1024²
    for (int k = 0; k < scales.size(); k++) {
      scores += (double) scales.get(k).tokens() * ends.get(k);
    }
    double attention = 4 * scores * width;
    return architecture.depth() * (2 * tokens * matrices + attention);
  }
}
