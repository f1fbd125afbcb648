package io.bitloom.engine.model;

import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import java.util.List;
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
  private final List<Branch> branches;

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
    branches =
        text
            ? List.of(this::withImage, this::withText, this::fed)
            : List.of(this::withImage, this::fed);
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

  /** What a part of a block adds to the stream. */
  @FunctionalInterface
  private interface Branch {
    /** The stream (R, L, C) with what is added. */
    Tensor addedTo(Tensor xRLC, Context context, Tokens tokens, Trace trace);
  }

  /** Tokens (R, L, C) to (R, L, C); what a branch computes is freed before the next one begins. */
  Tensor forward(Tensor xRLC, Context context, Tokens tokens, Trace trace) {
    return Scope.fold(
        xRLC, branches, (x, branch) -> branch.addedTo(x, context, tokens, trace)); // (R, L, C)
  }

  private Tensor withImage(Tensor xRLC, Context context, Tokens tokens, Trace trace) {
    Modulation m = context.modulation();
    Tensor x = addsLevel ? xRLC.add(tokens.level().get()) : xRLC; // (R, L, C)
    Tensor in = norm.modulated(x, m.scale1(), m.shift1(), dtype); // (R, L, C)
    Tensor attended = sa.forward(in, tokens.rope(), context.cache(), tokens.mask()); // (R, L, C)
    trace.record("sa", attended);
    return Nn.gatedAdd(x, attended, m.gamma1());
  }

  private Tensor withText(Tensor xRLC, Context context, Tokens tokens, Trace trace) {
    Tensor read = ca.forward(caNorm.apply(xRLC), context.text()); // (R, L, C)
    trace.record("ca", read);
    return xRLC.add(caGamma == null ? read : read.mul(caGamma));
  }

  private Tensor fed(Tensor xRLC, Context context, Tokens tokens, Trace trace) {
    Modulation m = context.modulation();
    Tensor in = norm.modulated(xRLC, m.scale2(), m.shift2(), dtype); // (R, L, C)
    Tensor fed = ffn.forward(in); // (R, L, C)
    trace.record("ffn", fed);
    Tensor out = Nn.gatedAdd(xRLC, fed, m.gamma2()); // (R, L, C)
    trace.record("blk", out);
    return out;
  }
}
