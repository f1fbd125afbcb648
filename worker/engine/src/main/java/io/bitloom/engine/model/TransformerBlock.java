package io.bitloom.engine.model;

import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;

/**
 * A block of the transformer: self-attention over the image, cross-attention to the text (not where
 * a class label conditions), feed-forward layer, each on the normalised stream and added to it. The
 * condition modulates the first and the last.
 */
final class TransformerBlock {
  private final int width;
  private final DType dtype; // of linear layers and attention
  private final boolean addsLevel; // to its input
  private final Tensor adaGss; // (1, 1, 6, C), added to the shared modulation; or null
  private final Linear adaLin; // the block's own modulation; or null
  private final Norm norm;
  private final Norm caNorm; // null, as ca is, without cross-attention
  private final Tensor caGamma; // (C) or null
  private final SelfAttention sa;
  private final CrossAttention ca;
  private final FeedForward ffn;

  /**
   * @param k its number, from 0
   */
  TransformerBlock(InfinityConfig config, int k, Parameters parameters) {
    width = config.embedDim();
    dtype = parameters.dtype();
    addsLevel = config.levelEmbeddingBefore(k);
    boolean shared = config.sharedAdaptiveNorm();
    adaGss = shared ? parameters.get("ada_gss", 1, 1, 6, width) : null;
    adaLin = shared ? null : parameters.as(DType.F32).linear("ada_lin.1", width, 6 * width);
    norm = Norm.plain(config);
    boolean text = config.square() == null;
    caNorm = text ? Norm.affine(config, parameters, "ca_norm", width) : null;
    caGamma = config.crossAttentionGate() ? parameters.get("ca_gamma", width) : null;
    sa = new SelfAttention(config, parameters.at(config.selfAttentionName()));
    ca = text ? new CrossAttention(config, parameters.at("ca.")) : null;
    ffn = new FeedForward(config, parameters.at("ffn."));
  }

  /**
   * What a block keeps of the text while an image is generated.
   *
   * @param modulation from the condition
   * @param text keys and values of the prompts, or null without cross-attention
   * @param cache keys and values of earlier scales, or null in training
   */
  record Context(Modulation modulation, TextKeysValues text, KvCache.Layer cache) {
    /** Only some rows of the batch. */
    Context rows(int from, int count) {
      return new Context(
          modulation.rows(from, count),
          text == null ? null : text.rows(from, count),
          cache.rows(from, count));
    }
  }

  /** Computes what does not depend on the scale. */
  Context context(TextCondition text, KvCache.Layer cache) {
    Tensor ada =
        adaGss != null
            ? text.sharedAdaR16C().add(adaGss)
            : adaLin.apply(Nn.silu(text.pooledRC())).view(-1, 1, 6, width);
    return new Context(Modulation.of(ada), ca == null ? null : ca.keysValues(text), cache);
  }

  /**
   * What is known of the tokens that enter a block, besides their values.
   *
   * @param level embedding of their scale (1, 1 or L, C)
   * @param rope their angles (1, L, 1, c/2), or null where places are embedded
   * @param mask which of them see which (1, 1, L, L), or null if all see all
   */
  record Tokens(Supplier<Tensor> level, Tensor rope, Tensor mask) {}

  /** Tokens (R, L, C) to (R, L, C). */
  Tensor forward(Tensor xRLC, Context context, Tokens tokens, Trace trace) {
    try (Scope scope = Scope.open()) {
      Modulation m = context.modulation();
      Tensor x = addsLevel ? xRLC.add(tokens.level().get()) : xRLC; // (R, L, C)
      Tensor in = norm.modulated(x, m.scale1(), m.shift1(), dtype); // (R, L, C)
      Tensor attended = sa.forward(in, tokens.rope(), context.cache(), tokens.mask()); // (R, L, C)
      trace.record("sa", attended);
      x = Nn.gatedAdd(x, attended, m.gamma1()); // (R, L, C)
      if (ca != null) {
        Tensor read = ca.forward(caNorm.apply(x), context.text()); // (R, L, C)
        trace.record("ca", read);
        x = x.add(caGamma == null ? read : read.mul(caGamma)); // (R, L, C)
      }
      in = norm.modulated(x, m.scale2(), m.shift2(), dtype); // (R, L, C)
      Tensor fed = ffn.forward(in); // (R, L, C)
      trace.record("ffn", fed);
      x = Nn.gatedAdd(x, fed, m.gamma2()); // (R, L, C)
      trace.record("blk", x);
      return scope.keep(x);
    }
  }
}
