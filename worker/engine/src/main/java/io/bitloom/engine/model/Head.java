package io.bitloom.engine.model;

import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * From the last block's tokens to logits, always in float32. With bit labels these are the 2d
 * logits of d binary classifiers (the paper's infinite-vocabulary classifier): logits 2j and 2j+1
 * are for bit j being 0 and 1.
 */
final class Head {
  private final int width;
  private final Norm norm;
  private final Linear adaLin; // null if the condition does not modulate the norm
  private final Linear hidden; // null with one layer
  private final Linear out;

  Head(InfinityConfig config, Parameters parameters) {
    width = config.embedDim();
    Parameters fp32 = parameters.as(DType.F32);
    if (config.headAdaptiveNorm()) {
      norm = Norm.plain(config);
      adaLin = fp32.linear("head_nm.ada_lin.1", width, 2 * width);
    } else {
      norm = Norm.affine(config, fp32, "head.0", width);
      adaLin = null;
    }
    int first = config.headAdaptiveNorm() ? 0 : 1;
    if (config.headDepth() == 2) {
      hidden = fp32.linear("head." + first, width, width);
      out = fp32.linear("head." + (first + 2), width, config.logitsPerToken());
    } else {
      hidden = null;
      out =
          fp32.linear(
              config.headAdaptiveNorm() ? "head" : "head.1", width, config.logitsPerToken());
    }
  }

  /**
   * @param xRLC tokens
   * @param pooledRC the condition
   * @return logits (R, L, V)
   */
  Tensor logits(Tensor xRLC, Tensor pooledRC) {
    Tensor x = norm.apply(Tensors.to(xRLC, DType.F32));
    if (adaLin != null) {
      Tensor ada = adaLin.apply(Nn.silu(pooledRC)).view(-1, 1, 2, width);
      Tensor scale = ada.select(2, 0); // (R, 1, C)
      Tensor shift = ada.select(2, 1); // (R, 1, C)
      x = x.mul(Tensors.plus(scale, 1)).add(shift);
    }
    return out.apply(hidden == null ? x : Nn.geluTanh(hidden.apply(x)));
  }
}
