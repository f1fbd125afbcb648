package io.bitloom.engine.model;

import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.nn.Parameters;
import org.bytedeco.pytorch.Tensor;

/** The feed-forward layer of a block: fc2(GELU(fc1 x)), or SwiGLU: fc2(SiLU(fcg x) · fc1 x). */
final class FeedForward {
  private final Linear fcg; // null without SwiGLU
  private final Linear fc1;
  private final Linear fc2;

  FeedForward(InfinityConfig config, Parameters parameters) {
    int width = config.embedDim();
    int hidden = config.mlpWidth();
    if (config.swiGlu()) {
      fcg = parameters.linearWithoutBias("fcg", width, hidden);
      fc1 = parameters.linearWithoutBias("fc1", width, hidden);
      fc2 = parameters.linearWithoutBias("fc2", hidden, width);
    } else {
      fcg = null;
      fc1 = parameters.linear("fc1", width, hidden);
      fc2 = parameters.linear("fc2", hidden, width);
    }
  }

  /** xRLC (R, L, C) to (R, L, C). */
  Tensor forward(Tensor xRLC) {
    Tensor hidden =
        fcg == null
            ? fc1.applyGelu(xRLC)
            : Nn.silu(fcg.apply(xRLC)).mul(fc1.apply(xRLC)); // (R, L, 4C)
    return fc2.apply(hidden); // (R, L, C)
  }
}
